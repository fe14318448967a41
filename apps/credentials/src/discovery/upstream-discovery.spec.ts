import type { OurClient } from '@warder/provider-catalog';
import { type FakeAnswer, fakeJson, FakeReceiver, type ReceivedRequest } from '@warder/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamDiscovery } from './upstream-discovery.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const CLIENT: OurClient = {
  name: 'Warder',
  homeUrl: 'https://gw.example.com',
  redirectUri: 'https://gw.example.com/connections/callback',
  documents: {},
};

let upstream: FakeReceiver;
let login: FakeReceiver;
/** What the two servers say at a path. */
let says: Record<string, FakeAnswer>;

const paths = ({ requests }: FakeReceiver) => requests.map(({ method, path }) => `${method} ${path}`);
const answer = ({ path }: ReceivedRequest): FakeAnswer => says[path] ?? { status: 404, body: '' };
const mcp = () => new URL('/mcp', upstream.url);
const named = (...origins: string[]) =>
  new UpstreamDiscovery({ timeoutMs: 3_000, bytesMax: 65_536, isNamed: (origin) => origins.includes(origin) });

beforeEach(async () => {
  upstream = await FakeReceiver.start(answer);
  login = await FakeReceiver.start(answer);
  says = {
    '/mcp': { status: 401, headers: { 'www-authenticate': `Bearer scope="read"` }, body: '' },
    [`${WELL_KNOWN}/mcp`]: fakeJson(200, {
      resource: mcp().href,
      authorization_servers: [login.url],
      scopes_supported: ['read', 'write'],
    }),
    '/.well-known/openid-configuration': fakeJson(200, {
      issuer: login.url,
      authorization_endpoint: `${login.url}/authorize`,
      token_endpoint: `${login.url}/token`,
      registration_endpoint: `${login.url}/register`,
      code_challenge_methods_supported: ['S256'],
    }),
    '/register': fakeJson(201, { client_id: 'c-1', client_secret: 's-1' }),
  };
});

afterEach(async () => {
  await upstream.stop();
  await login.stop();
});

describe('an upstream that names its authorization server', () => {
  it('is found by its path, with the scopes of the challenge, and registers us', async () => {
    const discovery = named(upstream.url, login.url);
    const { provider, server } = await discovery.discover(mcp());
    expect(paths(upstream)).toEqual(['POST /mcp', `GET ${WELL_KNOWN}/mcp`]);
    expect(paths(login)).toEqual([
      'GET /.well-known/oauth-authorization-server',
      'GET /.well-known/openid-configuration',
    ]);
    expect(provider.entry.scopes.default).toEqual(['read']);
    expect(provider.values['token_endpoint']).toBe(`${login.url}/token`);
    expect(await discovery.register(server, CLIENT, ['read'])).toEqual({
      clientId: 'c-1',
      clientSecret: 's-1',
      method: 'client_secret_basic',
    });
    expect(JSON.parse(login.requests.at(-1)?.body ?? '')).toMatchObject({
      redirect_uris: ['https://gw.example.com/connections/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'read',
    });
  });

  it('is found where the challenge says, and nowhere else', async () => {
    const challenge = `Bearer resource_metadata="${upstream.url}/meta"`;
    says['/mcp'] = { status: 401, headers: { 'www-authenticate': challenge }, body: '' };
    await expect(named(upstream.url, login.url).discover(mcp())).rejects.toThrow('the upstream has no metadata');
    says['/meta'] = says[`${WELL_KNOWN}/mcp`] as FakeAnswer;
    expect((await named(upstream.url, login.url).discover(mcp())).provider.entry.scopes.default).toEqual([
      'read',
      'write',
    ]);
    expect(paths(upstream)).not.toContain(`GET ${WELL_KNOWN}/mcp`);
  });

  it('is found at the root, where it says nothing at its path', async () => {
    says[WELL_KNOWN] = says[`${WELL_KNOWN}/mcp`] as FakeAnswer;
    delete says[`${WELL_KNOWN}/mcp`];
    expect((await named(upstream.url, login.url).discover(mcp())).server.issuer).toBe(login.url);
  });

  it('is found behind places that answer with a page', async () => {
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>' };
    says[WELL_KNOWN] = says[`${WELL_KNOWN}/mcp`] as FakeAnswer;
    says[`${WELL_KNOWN}/mcp`] = page;
    says['/.well-known/oauth-authorization-server'] = page;
    expect((await named(upstream.url, login.url).discover(mcp())).server.issuer).toBe(login.url);
  });
});

describe('trust follows who named the URL', () => {
  it('does not dial a private server that only the upstream’s document names', async () => {
    await expect(named(upstream.url).discover(mcp())).rejects.toThrow('could not be asked');
    expect(login.requests).toEqual([]);
  });

  it('does not dial a private address over TLS either', async () => {
    const elsewhere = login.url.replace('http:', 'https:');
    says[`${WELL_KNOWN}/mcp`] = fakeJson(200, { resource: mcp().href, authorization_servers: [elsewhere] });
    await expect(named(upstream.url).discover(mcp())).rejects.toMatchObject({
      cause: { message: '127.0.0.1 is not a public address' },
    });
    expect(login.requests).toEqual([]);
  });

  it('does not dial what the challenge names in place of the upstream', async () => {
    says['/mcp'] = {
      status: 401,
      headers: { 'www-authenticate': `Bearer resource_metadata="${login.url}/m"` },
      body: '',
    };
    await expect(named(upstream.url).discover(mcp())).rejects.toThrow('could not be asked');
    expect(login.requests).toEqual([]);
  });

  it('refuses a registration at an address that only the server’s document names', async () => {
    const discovery = named(upstream.url, login.url);
    const { server } = await discovery.discover(mcp());
    const registrationEndpoint = new URL('https://127.0.0.1:1/register');
    await expect(discovery.register({ ...server, registrationEndpoint }, CLIENT, [])).rejects.toThrow(
      'could not be asked',
    );
    expect(paths(login)).not.toContain('POST /register');
  });

  it('follows no redirect', async () => {
    says[`${WELL_KNOWN}/mcp`] = { status: 302, headers: { location: `${login.url}/m` }, body: '' };
    await expect(named(upstream.url, login.url).discover(mcp())).rejects.toThrow('the upstream has no metadata');
    expect(login.requests).toEqual([]);
  });

  it.each([
    ['of another resource', { resource: 'https://other.example/mcp' }],
    ['no metadata of a protected resource', { authorization_servers: [] }],
  ])('believes no metadata that are %s', async (message, more) => {
    says[`${WELL_KNOWN}/mcp`] = fakeJson(200, { resource: mcp().href, authorization_servers: [login.url], ...more });
    await expect(named(upstream.url, login.url).discover(mcp())).rejects.toThrow(message);
  });

  it('believes no metadata of another issuer, and asks no other place for better ones', async () => {
    says['/.well-known/oauth-authorization-server'] = fakeJson(200, {
      issuer: 'https://evil.example',
      authorization_endpoint: `${login.url}/authorize`,
      token_endpoint: `${login.url}/token`,
      code_challenge_methods_supported: ['S256'],
    });
    await expect(named(upstream.url, login.url).discover(mcp())).rejects.toThrow('of another issuer');
    expect(paths(login)).toEqual(['GET /.well-known/oauth-authorization-server']);
  });

  it('reads no more than it is allowed to', async () => {
    says[`${WELL_KNOWN}/mcp`] = { status: 200, body: `"${'x'.repeat(70_000)}"` };
    await expect(named(upstream.url, login.url).discover(mcp())).rejects.toThrow('could not be asked');
  });
});
