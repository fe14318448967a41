import { generateKeyPairSync, sign } from 'node:crypto';
import { createKafkaBus } from '@warder/bus';
import {
  principalStateTopic,
  TRUSTED_ISSUER_KEY,
  type TrustedIssuerState,
  trustedIssuerStateTopic,
  type TrustedKey,
} from '@warder/contracts';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const ISSUER = 'https://login.example.com';
const keys = generateKeyPairSync('ed25519');
const key: TrustedKey = {
  id: 'd1',
  algorithm: 'EdDSA',
  jwk: keys.publicKey.export({ format: 'jwk' }) as TrustedKey['jwk'],
};
let upstream: FixtureUpstream;
let scene: IngressScene;
let version = 0;

/** An access token of ana's for `dev`, as the company would sign it. */
function accessToken(change: object = {}): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(scene.clock.wallMs() / 1_000);
  const aud = `${scene.host.url}/mcp/dev`;
  const claims = {
    iss: ISSUER,
    sub: '00u-ana',
    aud,
    azp: 'editor',
    scope: 'mcp',
    iat: nowS,
    exp: nowS + 3_600,
    ...change,
  };
  const signed = `${part({ alg: 'EdDSA', typ: 'at+jwt', kid: 'd1' })}.${part(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), keys.privateKey).toString('base64url')}`;
}
const ask = (token: string) => new WireClient(scene, 'modern', token).call('echo', { message: 'hello' });
const publishIssuer = (change: Partial<TrustedIssuerState> = {}) => {
  version += 1;
  return scene.bus.publish(trustedIssuerStateTopic, TRUSTED_ISSUER_KEY, {
    version,
    status: 'active',
    issuer: ISSUER,
    types: ['at+jwt'],
    audiences: {},
    scope: 'mcp',
    subjectsOf: 'corp',
    keys: [key],
    ...change,
  });
};
const publishAna = (at: number, change: object = {}) =>
  scene.bus.publish(principalStateTopic, 'ana', {
    version: at,
    status: 'active',
    id: 'ana',
    kind: 'human',
    name: 'Ana',
    email: null,
    groups: ['developers'],
    roles: [],
    subjects: [{ provider: 'corp', subject: '00u-ana' }],
    ...change,
  });

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  scene = await new IngressScene().start({
    upstreams: { fixture: { transport: { kind: 'streamable-http', url: upstream.url }, allowPrivateAddress: true } },
    virtualServers: { dev: { tools: [{ upstream: 'fixture', tool: '*', prefix: '' }] } },
    grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['fixture/*'] }],
  });
  await scene.untilListed(new WireClient(scene, 'modern', await scene.token('ana')), 'echo', 'slow');
  await publishAna(2_000);
  await publishIssuer();
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

describe('a client of the company’s own authorization server', () => {
  it('is sent there for its token, and told of its scope', async () => {
    const { url } = scene.host;
    const metadata = await eventually(async () => {
      const said = (await (await fetch(`${url}/.well-known/oauth-protected-resource/mcp/dev`)).json()) as object;
      return 'authorization_servers' in said && String(said.authorization_servers) === ISSUER ? said : undefined;
    });
    expect(metadata).toMatchObject({ resource: `${url}/mcp/dev`, scopes_supported: ['mcp'] });
    const answer = await scene.send('/mcp/dev', { headers: { 'content-type': 'application/json' }, body: '{}' });
    expect(answer.headers['www-authenticate']).toContain('scope="mcp"');
    await publishIssuer({ scope: null });
    await eventually(async () => {
      const again = await scene.send('/mcp/dev', { headers: { 'content-type': 'application/json' }, body: '{}' });
      return !String(again.headers['www-authenticate']).includes('scope=') || undefined;
    });
    await publishIssuer();
  });

  it('calls with its token, and stands in the record as that server says it is', async () => {
    await eventually(async () => (await ask(accessToken())).status === 200 || undefined);
    const record = await oneRecord(scene, ({ agent, kind }) => agent?.kind === 'oauth' && kind === 'call');
    expect(record).toMatchObject({
      principal: { id: 'ana' },
      verified: { client: 'editor', by: ISSUER },
      personal: { agent: { name: 'editor' } },
    });
  });

  it.each([
    ['another virtual server', () => accessToken({ aud: `${scene.host.url}/mcp/ops` })],
    ['somebody unknown', () => accessToken({ sub: 'ana' })],
    ['nothing of ours', () => accessToken({ scope: 'mail' })],
    ['nobody any more', () => accessToken({ exp: 1_000 })],
  ])('is not let in with a token for %s', async (_, token) => {
    const answer = await ask(token());
    expect([answer.status, messageOf(answer).error?.data?.code]).toEqual([401, 'WDR_TOKEN_UNKNOWN']);
  });

  it('is cut off, a running call included, when its person is signed out', async () => {
    const token = accessToken();
    const running = new WireClient(scene, 'modern', token).call('slow', { nonce: 'cut-1', ms: 60_000 });
    await eventually(() => upstream.executed().find((entry) => entry.nonce === 'cut-1'));
    await publishAna(2_001, { signedOutAtMs: scene.clock.wallMs() + 1 });
    expect((await running).status).toBe(401);
    expect((await ask(token)).status).toBe(401);
    await publishAna(2_002);
  });

  it('is known after a restart in an outage', async () => {
    await eventually(async () => (await ask(accessToken())).status === 200 || undefined);
    await scene.host.stop();
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const bus = createKafkaBus({ node: 'n', service: 'ingress', brokers: ['127.0.0.1:9'], log, clock: scene.clock });
    await scene.startNode({}, bus);
    await eventually(async () => (await ask(accessToken())).status === 200 || undefined);
    expect((await ask(accessToken({ sub: 'nobody' }))).status).toBe(401);
    await bus.close();
  });
});
