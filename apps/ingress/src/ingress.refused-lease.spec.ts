import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const TOOL = 'guarded__echo';

let upstream: FixtureUpstream;
/** In front of the upstream; lets in one token at a time, as a provider does that ends the old one at a refresh. */
let guard: Server;
let accepted = 'Bearer token-canary-one';
let refusals = 0;
let scene: IngressScene;
let client: WireClient;

const call = async (nonce: string) => messageOf(await client.call(TOOL, { message: 'hello', nonce }));
const acts = (nonce: string) => upstream.executed().filter((act) => act.nonce === nonce).length;

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  guard = createServer((request, response) => {
    const { authorization } = request.headers;
    if (authorization !== accepted) {
      refusals += 1;
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
      request.resume();
      return;
    }
    const { method, headers, url } = request;
    const onwards = httpRequest(new URL(url ?? '/', upstream.url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onwards.on('error', () => response.destroy());
    request.pipe(onwards);
  });
  await new Promise<void>((resolve) => guard.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(guard.address() as AddressInfo).port}${new URL(upstream.url).pathname}`;
  scene = new IngressScene();
  await scene.start(
    {
      upstreams: { guarded: { transport: { kind: 'streamable-http', url }, allowPrivateAddress: true } },
      virtualServers: { dev: { tools: [{ upstream: 'guarded', tool: '*' }] } },
      grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['*/*'] }],
    },
    { leases: { identityFile: join(scene.dir, 'identity.key'), ...scene.credentials.leasesConfig } },
  );
  client = new WireClient(scene, 'modern', await scene.token('ana'));
  await scene.credentials.takeAccounts('guarded');
  await scene.credentials.connect('guarded', 'ana', 'Bearer token-canary-one');
  // Whoever comes first and has an account has it listed: nobody else could have.
  await scene.untilListed(client, TOOL);
  await eventually(async () => (await call('first')).result?.content !== undefined && acts('first') > 0);
});
afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
  guard?.close();
});

describe('a call whose token the upstream takes no more', () => {
  it('is sent once more with the new one, and acts once', async () => {
    scene.credentials.refresh('guarded', 'ana', 'Bearer token-canary-two');
    accepted = 'Bearer token-canary-two';
    const before = refusals;
    const answers = await Promise.all(['one', 'two', 'three'].map((nonce) => call(nonce)));
    for (const answer of answers) expect((answer.result as { isError?: boolean }).isError ?? false).toBe(false);
    expect(['one', 'two', 'three'].map(acts)).toEqual([1, 1, 1]);
    expect(refusals).toBeGreaterThan(before);
    const record = await oneRecord(scene, ({ personal }) => JSON.stringify(personal?.arguments).includes('"two"'));
    expect(record).toMatchObject({ decision: 'permit', outcome: 'success', refusal: null });
    expect(JSON.stringify(scene.records)).not.toContain('token-canary');
  });

  it('fails where there is no other, after one look, and is not tried again and again', async () => {
    accepted = 'Bearer of-nobody';
    await call('refused');
    const [asked, before] = [scene.credentials.asked.length, refusals];
    const answer = await call('refused');
    expect(answer.result).toMatchObject({ isError: true, _meta: { 'warder/code': 'WDR_UPSTREAM_FAILED' } });
    expect([acts('refused'), scene.credentials.asked.length - asked, refusals - before]).toEqual([0, 0, 1]);
  });
});
