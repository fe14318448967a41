import { describe, expect, it } from 'vitest';
import { authorizationUrl, isAnswerOf } from '../authorization-request.js';
import { codeRequest, refreshRequest } from '../token-request.js';
import { revocationRequests } from '../revocation-request.js';
import { readChallenge } from './challenge.js';
import {
  clientDocument,
  documentProof,
  type OurClient,
  readRegistration,
  registrationRequest,
  registrationWay,
} from './client-registration.js';
import { discoveredProvider, issuerKey } from './discovered-provider.js';
import { readResourceMetadata, resourceMetadataUrls } from './resource-metadata.js';
import { readServerMetadata, serverMetadataUrls } from './server-metadata.js';

const UPSTREAM = new URL('https://mcp.example.com/v1/mcp');
const nobody = () => false;
const hrefs = (urls: readonly URL[]) => urls.map(({ href }) => href);

const SERVER = {
  issuer: 'https://login.example.com',
  authorization_endpoint: 'https://login.example.com/authorize',
  token_endpoint: 'https://login.example.com/token',
  registration_endpoint: 'https://login.example.com/register',
  revocation_endpoint: 'https://login.example.com/revoke',
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_post', 'tls_client_auth'],
};
const server = (more: object = {}, issuer = SERVER.issuer, isNamed: (origin: string) => boolean = nobody) =>
  readServerMetadata(issuer, { ...SERVER, ...more }, isNamed);
const RESOURCE = { resource: UPSTREAM.href, authorizationServers: [SERVER.issuer], scopes: ['read'] };

const CLIENT: OurClient = {
  name: 'Warder',
  homeUrl: 'https://gw.example.com',
  redirectUri: 'https://gw.example.com/connections/callback',
  documents: { private_key_jwt: 'https://gw.example.com/oauth/mcp-client.json' },
  jwksUri: 'https://gw.example.com/oauth/mcp-client-keys.json',
};

describe('a challenge', () => {
  it.each([
    ['Bearer resource_metadata="https://a.example/m", scope="read write"', 'https://a.example/m', ['read', 'write']],
    ['Basic realm="x", Bearer scope=read, resource_metadata="https://a.example/m"', 'https://a.example/m', ['read']],
    ['bearer error="invalid_token", resource_metadata=https://a.example/m', 'https://a.example/m', undefined],
    ['Bearer scope="", resource_metadata="https://a.example/\\"m"', 'https://a.example/"m', undefined],
  ])('%s is read', (header, resourceMetadata, scopes) => {
    expect(readChallenge(header)).toEqual({ resourceMetadata, ...(scopes === undefined ? {} : { scopes }) });
  });

  it.each([undefined, null, '', 'Bearer', 'Basic realm="resource_metadata=https://a.example"'])(
    '%j names nothing',
    (header) => {
      expect(readChallenge(header)).toEqual({});
    },
  );
});

describe('metadata of a protected resource', () => {
  it('are asked for where the challenge says, else at the path and then at the root', () => {
    expect(hrefs(resourceMetadataUrls(UPSTREAM, 'https://mcp.example.com/meta'))).toEqual([
      'https://mcp.example.com/meta',
    ]);
    expect(hrefs(resourceMetadataUrls(UPSTREAM))).toEqual([
      'https://mcp.example.com/.well-known/oauth-protected-resource/v1/mcp',
      'https://mcp.example.com/.well-known/oauth-protected-resource',
    ]);
    expect(hrefs(resourceMetadataUrls(new URL('https://mcp.example.com/')))).toHaveLength(1);
    expect(() => resourceMetadataUrls(UPSTREAM, '/meta')).toThrow('names no URL');
  });

  const read = (resource: string) =>
    readResourceMetadata(UPSTREAM, { resource, authorization_servers: [SERVER.issuer], scopes_supported: ['read'] });

  it.each(['https://mcp.example.com/v1/mcp', 'https://mcp.example.com/v1/', 'https://mcp.example.com'])(
    'of %s are of this upstream, and are sent as they are written',
    (resource) => {
      expect(read(resource)).toEqual({ ...RESOURCE, resource });
    },
  );

  it.each([
    'https://other.example.com/v1/mcp',
    'http://mcp.example.com/v1/mcp',
    'https://mcp.example.com:8443/v1/mcp',
    'https://mcp.example.com/v1/mcp/more',
    'https://mcp.example.com/v1/mc',
    'https://mcp.example.com/v1/mcp#x',
    'https://user@mcp.example.com/v1/mcp',
    '/v1/mcp',
  ])('of %s are refused: they are another’s', (resource) => {
    expect(() => read(resource)).toThrow('of another resource');
  });

  it.each([{}, null, [], { resource: UPSTREAM.href, authorization_servers: [] }])('%j are none', (document) => {
    expect(() => readResourceMetadata(UPSTREAM, document)).toThrow('no metadata');
  });
});

describe('metadata of an authorization server', () => {
  it('are asked for in the order of the specification', () => {
    expect(hrefs(serverMetadataUrls('https://a.example/tenant/1'))).toEqual([
      'https://a.example/.well-known/oauth-authorization-server/tenant/1',
      'https://a.example/.well-known/openid-configuration/tenant/1',
      'https://a.example/tenant/1/.well-known/openid-configuration',
    ]);
    expect(hrefs(serverMetadataUrls('https://a.example/'))).toEqual([
      'https://a.example/.well-known/oauth-authorization-server',
      'https://a.example/.well-known/openid-configuration',
    ]);
  });

  it.each(['a.example', 'https://a.example?x', 'https://a.example#x', 'https://u:p@a.example'])(
    'are not asked for of %s, which is no issuer',
    (issuer) => {
      expect(() => serverMetadataUrls(issuer)).toThrow('the issuer');
    },
  );

  it.each([
    ['another issuer', { issuer: 'https://login.example.com/' }, 'another issuer'],
    ['no PKCE', { code_challenge_methods_supported: undefined }, 'S256'],
    ['plain PKCE alone', { code_challenge_methods_supported: ['plain'] }, 'S256'],
    ['tokens without codes', { response_types_supported: ['token'] }, 'no codes'],
    ['a shell in place of a page', { authorization_endpoint: 'file:///bin/sh' }, 'not https'],
    ['a script in place of a page', { authorization_endpoint: 'javascript:alert(1)' }, 'not https'],
    ['a token endpoint without TLS', { token_endpoint: 'http://login.example.com/token' }, 'not https'],
    ['a registration without TLS', { registration_endpoint: 'http://169.254.169.254/latest' }, 'not https'],
    ['a revocation that is no URL', { revocation_endpoint: '/revoke' }, 'no URL'],
    ['a password in an endpoint', { token_endpoint: 'https://u:p@login.example.com/token' }, 'must not have'],
    ['no token endpoint', { token_endpoint: undefined }, 'no metadata'],
  ])('with %s are refused', (_what, more, message) => {
    expect(() => server(more)).toThrow(message);
  });

  it('may be without TLS at an origin that an operator named, and at no other', () => {
    const isNamed = (origin: string) => origin === 'http://login.internal:8080';
    const named = { token_endpoint: 'http://login.internal:8080/token' };
    expect(server(named, undefined, isNamed).tokenEndpoint.href).toBe('http://login.internal:8080/token');
    expect(() => server({ token_endpoint: 'http://login.internal:9090/token' }, undefined, isNamed)).toThrow(
      'not https',
    );
  });

  it('say Basic where they say no proof (RFC 8414), and nothing that we do not know', () => {
    expect(server({ token_endpoint_auth_methods_supported: undefined }).authentication).toEqual([
      'client_secret_basic',
    ]);
    expect(server().authentication).toEqual(['none', 'client_secret_post']);
  });
});

describe('a client of a discovered server', () => {
  const withDocuments = (methods: string[]) =>
    server({
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: methods,
    });

  it('is one that was registered by hand, else our document, else registered dynamically', () => {
    const both = withDocuments(['private_key_jwt', 'none']);
    expect(registrationWay(both, CLIENT, true)).toBe('registered');
    expect(registrationWay(both, CLIENT, false)).toBe('document');
    expect(registrationWay(server(), CLIENT, false)).toBe('dynamic');
    expect(registrationWay(both, CLIENT, false, ['dynamic', 'document'])).toBe('dynamic');
    expect(registrationWay(server({ registration_endpoint: undefined }), CLIENT, false)).toBeUndefined();
  });

  it('is a document only where the server takes its proof', () => {
    expect(documentProof(withDocuments(['private_key_jwt']), CLIENT)).toBe('private_key_jwt');
    expect(documentProof(withDocuments(['none']), CLIENT)).toBeUndefined();
    expect(documentProof(withDocuments(['none']), { ...CLIENT, documents: { none: 'https://gw.example.com/c' } })).toBe(
      'none',
    );
    expect(documentProof(withDocuments(['client_secret_basic']), CLIENT)).toBeUndefined();
    expect(documentProof(server(), CLIENT)).toBeUndefined();
    // Without `iss` in its answers another server could have its codes by our document (RFC 9207).
    const silent = { client_id_metadata_document_supported: true, token_endpoint_auth_methods_supported: ['none'] };
    expect(documentProof(server(silent), { ...CLIENT, documents: { none: 'https://gw.example.com/c' } })).toBe(
      undefined,
    );
  });

  it('publishes a document whose client id is its own address', () => {
    expect(clientDocument(CLIENT, 'private_key_jwt')).toEqual({
      client_id: 'https://gw.example.com/oauth/mcp-client.json',
      client_name: 'Warder',
      client_uri: 'https://gw.example.com',
      application_type: 'web',
      redirect_uris: ['https://gw.example.com/connections/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'https://gw.example.com/oauth/mcp-client-keys.json',
    });
  });

  it('registers with a secret where it can', () => {
    const request = registrationRequest(server(), CLIENT, ['read'], nobody);
    expect(request).toMatchObject({
      method: 'POST',
      namedBy: 'catalogue',
      url: new URL('https://login.example.com/register'),
    });
    expect(JSON.parse(request.body ?? '')).toMatchObject({
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'read',
    });
    expect(registrationRequest(server(), CLIENT, [], () => true).namedBy).toBe('operator');
  });

  it('is read from the answer, whose proof outranks what was asked for', () => {
    const read = (body: object) => readRegistration({ status: 201, body }, CLIENT);
    expect(read({ client_id: 'c', client_secret: 's', client_secret_expires_at: 1_800_000_000 })).toEqual({
      clientId: 'c',
      clientSecret: 's',
      method: 'client_secret_basic',
      secretExpiresAtMs: 1_800_000_000_000,
    });
    expect(read({ client_id: 'c', token_endpoint_auth_method: 'none' })).toEqual({ clientId: 'c', method: 'none' });
    expect(() => read({ client_id: 'c', token_endpoint_auth_method: 'client_secret_post' })).toThrow('no secret');
    for (const id of ['', 'a\u0000b', 'é', 'x'.repeat(2_001), 7, ['c']])
      expect(() => read({ client_id: id, client_secret: 's' })).toThrow('no client');
    expect(() => read({ client_id: 'c', redirect_uris: ['https://evil.example/cb'] })).toThrow('another address');
    expect(() => read({ client_id: 'c', token_endpoint_auth_method: 'tls_client_auth' })).toThrow('no client');
    expect(() => read({ client_secret: 's' })).toThrow('no client');
    expect(() => readRegistration({ status: 400, body: { client_id: 'c' } }, CLIENT)).toThrow('answered 400');
  });
});

describe('the entry of a discovered server', () => {
  const found = (isNamed: (origin: string) => boolean, more: object = {}) =>
    discoveredProvider(server(more, undefined, isNamed), RESOURCE, ['read', 'write'], isNamed);
  const setup = (provider: ReturnType<typeof found>) => ({
    ...provider,
    clientId: 'c',
    authentication: { method: 'none' as const },
  });
  const consent = { redirectUri: 'https://gw.example.com/cb', state: 's', codeChallenge: 'x' };

  it('is kept by its issuer, to the byte', () => {
    expect(found(nobody).entry.id).toBe(issuerKey('https://login.example.com'));
    expect(issuerKey('https://login.example.com/')).not.toBe(issuerKey('https://login.example.com'));
  });

  it.each([
    [true, 'https://login.example.com', true],
    [true, undefined, false],
    [true, 'https://evil.example', false],
    [false, null, true],
    [false, 'https://login.example.com', true],
    [false, 'https://login.example.com/', false],
  ])('takes for its own, where it names itself: %s, an answer with iss %s: %s', (namesItself, iss, is) => {
    const more = { authorization_response_iss_parameter_supported: namesItself };
    expect(isAnswerOf(found(nobody, more), iss)).toBe(is);
    expect(
      isAnswerOf(
        found(() => true, more),
        iss,
      ),
    ).toBe(is);
  });

  it('names the resource in every request (RFC 8707)', () => {
    const at = setup(found(nobody));
    expect(Object.fromEntries(authorizationUrl(at, consent).searchParams)).toMatchObject({
      resource: UPSTREAM.href,
      scope: 'read write',
      code_challenge_method: 'S256',
    });
    const code = codeRequest(at, { code: 'c', redirectUri: consent.redirectUri, codeVerifier: 'v' });
    expect(new URLSearchParams(code.body).get('resource')).toBe(UPSTREAM.href);
    expect(new URLSearchParams(refreshRequest(at, 'r', '').body).get('resource')).toBe(UPSTREAM.href);
  });

  it('lets only an origin that an operator named be private, whatever the documents say', () => {
    const isNamed = (origin: string) => origin === 'https://login.example.com';
    const at = setup(found(isNamed, { revocation_endpoint: 'https://10.0.0.7/revoke' }));
    expect(refreshRequest(at, 'r', '').namedBy).toBe('operator');
    expect(revocationRequests(at, { accessToken: 'a' }).map(({ namedBy }) => namedBy)).toEqual(['catalogue']);
    expect(refreshRequest(setup(found(nobody)), 'r', '').namedBy).toBe('catalogue');
  });

  it('has no parameter that a document names', () => {
    const at = setup(found(nobody, { token_endpoint: 'https://login.example.com/{token_endpoint}' }));
    expect(refreshRequest(at, 'r', '').url.href).toBe('https://login.example.com/%7Btoken_endpoint%7D');
  });

  it('is none where the server takes no proof of ours', () => {
    expect(() => found(nobody, { token_endpoint_auth_methods_supported: ['tls_client_auth'] })).toThrow(
      'none that we can use',
    );
  });
});
