import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { PrincipalState, TrustedIssuerState, TrustedKey } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { AccessTokens } from './access-tokens.js';
import { Callers, isClientGrant } from './callers.js';
import { PrincipalDirectory } from './principal-directory.js';

const NOW = 1_790_000_000_000;
const ISSUER = 'https://login.example.com';
const AUDIENCE = 'https://warder.example/mcp/dev';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });

const keyOf = (id: string, algorithm: TrustedKey['algorithm'], key: KeyObject): TrustedKey => ({
  id,
  algorithm,
  jwk: key.export({ format: 'jwk' }) as TrustedKey['jwk'],
});
const KEYS = [
  keyOf('r1', 'RS256', rsa.publicKey),
  keyOf('p1', 'PS256', rsa.publicKey),
  keyOf('e1', 'ES256', ec.publicKey),
  keyOf('d1', 'EdDSA', ed.publicKey),
  keyOf('w1', 'RS256', weak.publicKey),
];
const SEALS: Record<string, (signed: Buffer) => Buffer> = {
  r1: (signed) => sign('sha256', signed, rsa.privateKey),
  p1: (signed) =>
    sign('sha256', signed, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  e1: (signed) => sign('sha256', signed, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }),
  d1: (signed) => sign(null, signed, ed.privateKey),
  w1: (signed) => sign('sha256', signed, weak.privateKey),
};
const ALGORITHMS: Record<string, string> = { r1: 'RS256', p1: 'PS256', e1: 'ES256', d1: 'EdDSA', w1: 'RS256' };
const sealOf = (kid = 'e1') => SEALS[Object.hasOwn(SEALS, kid) ? kid : 'e1']!;
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(
  claims: object = {},
  { kid = 'e1', ...header }: { kid?: string; [name: string]: unknown } = {},
  seal = sealOf(kid),
) {
  const whole = {
    iss: ISSUER,
    sub: '00u-ana',
    aud: AUDIENCE,
    client_id: 'editor',
    iat: NOW / 1_000 - 10,
    exp: NOW / 1_000 + 600,
    ...claims,
  };
  const signed = `${part({ alg: ALGORITHMS[kid], typ: 'at+jwt', kid, ...header })}.${part(whole)}`;
  return `${signed}.${seal(Buffer.from(signed)).toString('base64url')}`;
}

const ana: PrincipalState = {
  version: 1,
  status: 'active',
  id: 'usr_ana',
  kind: 'human',
  name: 'Ana',
  email: null,
  groups: [],
  roles: ['member'],
  subjects: [
    { provider: 'corp', subject: '00u-ana' },
    { provider: 'scim', subject: 'ext-ana' },
  ],
};
const trusted: TrustedIssuerState = {
  version: 1,
  status: 'active',
  issuer: ISSUER,
  types: ['at+jwt'],
  audiences: {},
  scope: null,
  subjectsOf: 'corp',
  keys: KEYS,
};

function scene(more: Partial<TrustedIssuerState> = {}) {
  const directory = new PrincipalDirectory({ p1: 'a-pepper-of-thirty-two-characters-and-more' });
  const callers = new Callers(directory, new AccessTokens(() => 'https://warder.example'));
  callers.applyPrincipal(ana.id, ana);
  callers.applyIssuer({ ...trusted, ...more });
  const ask = (bearer: string, nowMs = NOW, audience = AUDIENCE) =>
    callers.examine(bearer, audience, nowMs, '127.0.0.1');
  return { callers, ask };
}

describe('a token of the company’s own authorization server', () => {
  it.each(['r1', 'p1', 'e1', 'd1'])(
    'signed by %s says who calls and through which client, as often as it is shown',
    (kid) => {
      const { ask } = scene();
      const token = tokenOf({}, { kid });
      for (const found of [ask(token), ask(token)]) {
        if (typeof found === 'string' || !isClientGrant(found.token)) throw new Error('refused');
        expect(found.principal.id).toBe('usr_ana');
        expect(found.token).toMatchObject({
          name: 'editor',
          principalId: 'usr_ana',
          client: { id: 'editor', by: ISSUER },
        });
      }
    },
  );

  it.each([
    ['of another issuer', { iss: 'https://evil.example' }, 'key-unknown'],
    ['for another virtual server', { aud: 'https://warder.example/mcp/ops' }, 'audience'],
    ['for nobody', { aud: undefined }, 'malformed'],
    ['for too many', { aud: Array(17).fill(AUDIENCE) }, 'malformed'],
    ['that has expired', { exp: NOW / 1_000 }, 'expired'],
    ['without an end', { exp: undefined }, 'malformed'],
    ['from the future', { iat: NOW / 1_000 + 61 }, 'not-yet-valid'],
    ['that is not valid yet', { nbf: NOW / 1_000 + 61 }, 'not-yet-valid'],
    ['of somebody unknown', { sub: '00u-nobody' }, 'principal-unknown'],
    ['of a subject of SCIM', { sub: 'ext-ana' }, 'principal-unknown'],
    ['of one of our own ids', { sub: 'usr_ana' }, 'principal-unknown'],
    ['of nobody', { sub: '' }, 'malformed'],
    ['without a client', { client_id: undefined }, 'malformed'],
  ])('%s is refused', (_, claims, reason) => {
    const { ask } = scene();
    expect(ask(tokenOf(claims))).toBe(reason);
    expect(ask(tokenOf(claims))).toBe(reason);
  });

  it.each([
    ['no algorithm', { alg: 'none' }, 'malformed'],
    ['another algorithm of the same key', { kid: 'r1', alg: 'PS256' }, 'malformed'],
    ['an algorithm of another kind of key', { kid: 'r1', alg: 'ES256' }, 'malformed'],
    ['another kind of token', { typ: 'JWT' }, 'malformed'],
    ['no kind', { typ: undefined }, 'malformed'],
    ['a logout token', { typ: 'logout+jwt' }, 'malformed'],
    ['a critical extension', { crit: ['b64'], b64: false }, 'malformed'],
    ['a path for a key', { kid: '../../e1' }, 'key-unknown'],
    ['a member of every object for a key', { kid: '__proto__' }, 'key-unknown'],
    ['a key that it brings', { kid: 'x', jwk: ec.publicKey.export({ format: 'jwk' }) }, 'key-unknown'],
    ['a key that is too weak', { kid: 'w1' }, 'key-unknown'],
  ])('whose header says %s is refused', (_, header, reason) => {
    const { ask } = scene();
    expect(ask(tokenOf({}, header, sealOf((header as { kid?: string }).kid)))).toBe(reason);
  });

  it('signed with the public key as a shared secret is refused (algorithm confusion)', () => {
    const { ask } = scene();
    const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' });
    const forge = (signed: Buffer) => createHmac('sha256', pem).update(signed).digest();
    expect(ask(tokenOf({}, { kid: 'r1', alg: 'HS256' }, forge))).toBe('malformed');
    expect(ask(tokenOf({}, { kid: 'r1' }, forge))).toBe('signature');
    expect(ask(tokenOf({}, { kid: 'e1' }, SEALS['r1']))).toBe('signature');
    expect(ask(tokenOf({}, { kid: 'p1' }, SEALS['r1']))).toBe('signature');
    expect(ask(`${tokenOf()}=`)).not.toBeTypeOf('object');
  });

  it('is judged by what the operator declared: audience, kind, scope, whose subjects', () => {
    const { ask } = scene({
      audiences: { dev: 'api://warder' },
      types: ['at+jwt', 'jwt', ''],
      scope: 'mcp',
      subjectsOf: 'scim',
    });
    const good = { aud: ['api://other', 'api://warder'], sub: 'ext-ana', scope: 'openid mcp' };
    expect(ask(tokenOf(good, { typ: 'JWT' }))).toBeTypeOf('object');
    expect(ask(tokenOf({ ...good, scope: undefined, scp: ['mcp'] }, { typ: 'application/at+jwt' }))).toBeTypeOf(
      'object',
    );
    expect(ask(tokenOf({ ...good, client_id: undefined, azp: 'editor' }, { typ: undefined }))).toBeTypeOf('object');
    expect(ask(tokenOf({ ...good, aud: AUDIENCE }))).toBe('audience');
    expect(ask(tokenOf({ ...good, scope: 'mcpx' }))).toBe('scope');
    expect(ask(tokenOf({ ...good, sub: '00u-ana' }))).toBe('principal-unknown');
    expect(ask(tokenOf(good), NOW, 'https://warder.example/mcp/ops')).toBe('audience');
  });

  it('is refused from the moment on at which its person is suspended or signed out, whoever verified it before', () => {
    const { ask, callers } = scene();
    const token = tokenOf();
    expect(ask(token)).toBeTypeOf('object');
    callers.applyPrincipal(ana.id, { ...ana, version: 2, signedOutAtMs: NOW });
    expect(ask(token)).toBe('signed-out');
    expect(ask(tokenOf({ iat: NOW / 1_000 }))).toBe('signed-out');
    expect(ask(tokenOf({ iat: NOW / 1_000 + 1 }))).toBeTypeOf('object');
    callers.applyPrincipal(ana.id, { ...ana, version: 3, status: 'suspended' });
    expect(ask(tokenOf({ iat: NOW / 1_000 }))).toBe('principal-suspended');
    callers.applyPrincipal(ana.id, { ...ana, version: 4, status: 'removed' });
    expect(ask(token)).toBe('principal-unknown');
  });

  it('is of nobody where two say to be its subject, and of the one who is left', () => {
    const { ask, callers } = scene();
    const twin = { ...ana, id: 'usr_twin' };
    callers.applyPrincipal(twin.id, twin);
    expect(ask(tokenOf())).toBe('principal-unknown');
    callers.applyPrincipal(ana.id, { ...ana, version: 2, subjects: [] });
    expect(ask(tokenOf())).toMatchObject({ principal: { id: 'usr_twin' } });
  });

  it('is refused once its key is gone, the issuer is retired, and never brought back by an older message', () => {
    const { ask, callers } = scene();
    const token = tokenOf();
    expect(ask(token)).toBeTypeOf('object');
    callers.applyIssuer({ ...trusted, version: 2, keys: KEYS.filter(({ id }) => id !== 'e1') });
    expect(ask(token)).toBe('key-unknown');
    callers.applyIssuer(trusted);
    expect(ask(token)).toBe('key-unknown');
    expect(ask(tokenOf({}, { kid: 'd1' }))).toBeTypeOf('object');
    callers.applyIssuer({ ...trusted, version: 3, status: 'retired' });
    expect(ask(tokenOf({}, { kid: 'd1' }))).toBe('malformed');
    expect(callers.trustedIssuer()).toBeUndefined();
  });
});
