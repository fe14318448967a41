import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport, UrlElicitationRequiredError } from '@modelcontextprotocol/client';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const TOOL = 'fixture__echo';
/** What a client says that can have its person open a page. */
const URLS = { elicitation: { form: {}, url: {} } };
const FORMS_ALONE = { elicitation: {} };

let upstream: FixtureUpstream;
let scene: IngressScene;
let link: string;

/** A person who has not connected an account yet. */
async function newcomer(name: string): Promise<string> {
  await scene.publishPrincipal(name, ['developers']);
  return scene.token(name);
}

/** A client of the modern era that says what it can do with each request. */
async function modern(token: string, clientCapabilities: object, more: object = {}) {
  const client = new WireClient(scene, 'modern', token);
  const meta = { 'io.modelcontextprotocol/clientCapabilities': clientCapabilities };
  const params = { name: TOOL, arguments: { message: 'hello' }, ...more, _meta: meta };
  return messageOf(await client.ask('tools/call', params)) as { result: Record<string, unknown> };
}

async function legacy(token: string, capabilities: object) {
  const client = new WireClient(scene, 'legacy', token);
  const clientInfo = { name: 'wire-client', version: '1' };
  const opened = await client.ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo });
  client.sessionToken = opened.headers['mcp-session-id'] as string;
  return client.call(TOOL, { message: 'hello' });
}

const words = () => ({
  isError: true,
  content: [{ type: 'text', text: expect.stringContaining(`at ${link} and try again`) }],
});

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  scene = new IngressScene();
  await scene.start(
    {
      upstreams: { fixture: { transport: { kind: 'streamable-http', url: upstream.url }, allowPrivateAddress: true } },
      virtualServers: { dev: { tools: [{ upstream: 'fixture', tool: '*' }] } },
      grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['*/*'] }],
    },
    { leases: { identityFile: join(scene.dir, 'identity.key'), ...scene.credentials.leasesConfig } },
  );
  await scene.untilListed(new WireClient(scene, 'modern', await newcomer('ana')), TOOL);
  await scene.credentials.takeAccounts('fixture');
  link = `${scene.host.url}/connections/connect/fixture`;
  const token = await newcomer('zoe');
  await eventually(async () => JSON.stringify(await modern(token, {})).includes(link));
});
afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

describe('a call that needs an account of its caller’s', () => {
  it('has a modern client that can ask its person to open the page, once, and acts only when there is one', async () => {
    const token = await newcomer('ben');
    const acts = upstream.executed().length;
    const asked = await modern(token, URLS);
    expect(asked.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        'warder/open-page': { method: 'elicitation/create', params: { mode: 'url', url: link } },
      },
    });
    for (const action of ['accept', 'decline', 'cancel']) {
      const back = await modern(token, URLS, { inputResponses: { 'warder/open-page': { action } } });
      expect(back.result).toMatchObject(words());
    }
    expect(upstream.executed()).toHaveLength(acts);
    await scene.credentials.connect('fixture', 'ben', 'Bearer of-ben');
    const more = { inputResponses: { 'warder/open-page': { action: 'accept' } } };
    await eventually(async () => (await modern(token, URLS, more)).result['isError'] !== true);
    // What the client answered to us is none of the upstream's.
    expect(JSON.stringify(upstream.executed())).not.toContain('open-page');
  });

  it('is told in words to a client that can open no page for its person, or only says that it asks by forms', async () => {
    const token = await newcomer('cleo');
    for (const capabilities of [{}, FORMS_ALONE, { elicitation: { url: true } }, { elicitation: 'url' }])
      expect((await modern(token, capabilities)).result).toMatchObject(words());
    for (const capabilities of [{}, FORMS_ALONE])
      expect(messageOf(await legacy(token, capabilities)).result).toMatchObject(words());
  });

  it('is answered -32042 to a client of 2025-11-25 that can', async () => {
    const token = await newcomer('dan');
    const answer = await legacy(token, URLS);
    expect([answer.status, messageOf(answer).error]).toEqual([
      200,
      {
        code: -32_042,
        message: 'Connect your account for "fixture" to go on',
        data: {
          elicitations: [
            {
              mode: 'url',
              elicitationId: expect.any(String),
              url: link,
              message: 'Connect your account for "fixture" to go on',
            },
          ],
        },
      },
    ]);
  });

  it('stands in the record as refused, and says whether the client was asked', async () => {
    const token = await newcomer('eve');
    await modern(token, URLS);
    const record = await oneRecord(scene, ({ principal, tool }) => principal?.id === 'eve' && tool === 'echo');
    expect(record).toMatchObject({ outcome: 'failure', refusal: { code: 'WDR_CREDENTIAL_MISSING' } });
    expect(record.personal?.refusalDetail).toBe('nothing is connected; the client was asked for it');
  });

  it('goes through within one call of the SDK, whose person connects while they are asked', async () => {
    const token = await newcomer('fay');
    const client = new Client(
      { name: 'spec', version: '1' },
      { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const opened: unknown[] = [];
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      opened.push('url' in params ? params.url : params.mode);
      await scene.credentials.connect('fixture', 'fay', 'Bearer of-fay');
      await eventually(async () => (await modern(token, {})).result['isError'] !== true);
      return { action: 'accept' as const };
    });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${scene.host.url}/mcp/dev`), { requestInit }));
    const result = await client.callTool({ name: TOOL, arguments: { message: 'hello' } });
    await client.close();
    expect([result.isError ?? false, opened]).toEqual([false, [link]]);
  });

  it('is an error of the SDK in the legacy era, with the page in it', async () => {
    const token = await newcomer('gus');
    const client = new Client(
      { name: 'spec', version: '1' },
      { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: 'legacy' } },
    );
    client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' as const }));
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${scene.host.url}/mcp/dev`), { requestInit }));
    const error = await client.callTool({ name: TOOL, arguments: {} }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    await client.close();
    expect(error).toBeInstanceOf(UrlElicitationRequiredError);
    expect((error as UrlElicitationRequiredError).elicitations).toMatchObject([{ mode: 'url', url: link }]);
  });
});
