import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { PrincipalState, SigningKeyState } from '@warder/contracts';
import { principalStateTopic } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { AccessTokens } from './access-tokens.js';
import { Callers, isClientGrant } from './callers.js';
import { PrincipalDirectory, type Revoked } from './principal-directory.js';

const ISSUER = 'https://warder.example';
const AUDIENCE = `${ISSUER}/mcp/dev`;
const NOW = 1_790_000_000_000;
const HERE = '10.1.2.3';
const ana: PrincipalState = { ...principalStateTopic.example, id: 'usr_ana', version: 1 };
const pair = (): { privateKey: KeyObject; publicKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const keyState = (id: string, publicKey: KeyObject, change: Partial<SigningKeyState> = {}): SigningKeyState => {
  const jwk = publicKey.export({ format: 'jwk' }) as SigningKeyState['jwk'];
  return { version: 1, status: 'active', id, algorithm: 'ES256', jwk, ...change };
};
const CLAIMS = {
  iss: ISSUER,
  sub: ana.id,
  aud: AUDIENCE,
  client_id: 'https://editor.example/client.json',
  client_name: 'Editor',
  client_by: 'cimd',
  grant_id: 'g1',
  iat: NOW / 1_000 - 10,
  exp: NOW / 1_000 + 600,
};

function scene() {
  const keys = pair();
  const directory = new PrincipalDirectory({ p1: 'a-pepper-of-thirty-two-characters-and-more' });
  directory.applyPrincipal(ana.id, ana);
  const callers = new Callers(directory, new AccessTokens(() => ISSUER));
  callers.applyKey('k1', keyState('k1', keys.publicKey));
  const tokenOf = (claims: object = {}, header: object = {}, key = keys.privateKey): string => {
    const signed = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })}.${part({ ...CLAIMS, ...claims })}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  return {
    keys,
    directory,
    callers,
    tokenOf,
    ask: (token: string, nowMs = NOW) => callers.examine(token, AUDIENCE, nowMs, HERE),
  };
}

describe('an access token', () => {
  it('names the person, the client and what the person allowed it', () => {
    const { ask, tokenOf } = scene();
    const found = ask(tokenOf());
    if (typeof found === 'string') throw new Error(found);
    expect(found.principal).toBe(ana);
    expect(isClientGrant(found.token) && found.token).toMatchObject({
      id: 'g1',
      name: 'Editor',
      client: { id: 'https://editor.example/client.json', by: 'cimd' },
      scopes: { tools: null },
    });
  });

  it.each([
    ['of another issuer', { iss: 'https://other.example' }, 'issuer'],
    ['for another virtual server', { aud: `${ISSUER}/mcp/ops` }, 'audience'],
    ['for several at once', { aud: [AUDIENCE] }, 'malformed'],
    ['that has expired', { exp: NOW / 1_000 }, 'expired'],
    ['from the future', { iat: NOW / 1_000 + 61 }, 'not-yet-valid'],
    ['of somebody unknown', { sub: 'usr_nobody' }, 'principal-unknown'],
    ['without a grant', { grant_id: undefined }, 'malformed'],
    ['without an end', { exp: undefined }, 'malformed'],
  ])('%s is refused', (_, claims, reason) => {
    const { ask, tokenOf } = scene();
    expect(ask(tokenOf(claims))).toBe(reason);
    expect(ask(tokenOf(claims))).toBe(reason);
  });

  it.each([
    ['none', { alg: 'none' }, 'malformed'],
    ['a shared secret', { alg: 'HS256' }, 'malformed'],
    ['another kind of token', { typ: 'JWT' }, 'malformed'],
    ['a critical extension', { crit: ['b64'], b64: false }, 'malformed'],
    ['a key that nobody published', { kid: 'k2' }, 'key-unknown'],
    ['a path for a key', { kid: '../../k1' }, 'key-unknown'],
    ['a file for a key', { kid: '/dev/null' }, 'key-unknown'],
    ['a statement for a key', { kid: "k1' UNION SELECT 'x" }, 'key-unknown'],
    ['a member of every object for a key', { kid: '__proto__' }, 'key-unknown'],
    ['a list for a key', { kid: ['k1'] }, 'key-unknown'],
    ['an address for a key', { kid: 'https://evil.example/k1', jku: 'https://evil.example/keys' }, 'key-unknown'],
    ['a key that it brings', { kid: 'k2', jwk: pair().publicKey.export({ format: 'jwk' }) }, 'key-unknown'],
    ['an algorithm of another kind of key', { alg: 'RS256' }, 'malformed'],
    ['an algorithm in another case', { alg: 'es256' }, 'malformed'],
    ['nothing of its kind', { typ: undefined }, 'malformed'],
    ['a key of its own', { kid: undefined, jwk: {} }, 'key-unknown'],
  ])('whose header says %s is refused', (_, header, reason) => {
    const { ask, tokenOf } = scene();
    expect(ask(tokenOf({}, header))).toBe(reason);
  });

  it('is refused when it was altered, signed by another, or written in another way', () => {
    const { ask, tokenOf } = scene();
    const token = tokenOf();
    const [head, , seal] = token.split('.') as [string, string, string];
    expect(ask(`${head}.${part({ ...CLAIMS, sub: 'usr_admin' })}.${seal}`)).toBe('signature');
    expect(ask(tokenOf({}, {}, pair().privateKey))).toBe('signature');
    expect(ask(`${token}=`)).toBe('malformed');
    expect(ask(`${token}.x`)).toBe('malformed');
    expect(ask(`${head}..${seal}`)).toBe('malformed');
    expect(ask(`eyJ${'x'.repeat(5_000)}.a.b`)).toBe('malformed');
    // The last character of 64 bytes has four bits that say nothing.
    const twin = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      .split('')
      .map((last) => token.slice(0, -1) + last)
      .filter(
        (other) =>
          other !== token && Buffer.from(other.split('.')[2]!, 'base64url').equals(Buffer.from(seal, 'base64url')),
      );
    expect(twin).not.toHaveLength(0);
    for (const other of twin) expect(ask(other)).toBe('signature');
  });

  it('is refused from the moment on at which its grant ends, whoever verified it before', () => {
    const { ask, tokenOf, callers } = scene();
    const told: Revoked[] = [];
    callers.onRevoked((what) => told.push(what));
    const token = tokenOf();
    expect(ask(token)).toBeTypeOf('object');
    callers.applyGrant('g1', {
      version: 2,
      status: 'revoked',
      id: 'g1',
      principalId: ana.id,
      expiresAtMs: NOW + 600_000,
    });
    expect(ask(token)).toBe('grant-revoked');
    expect(told).toEqual([{ tokenId: 'g1' }]);
    // Neither an older word of it nor a sweep before its tokens' end brings it back.
    callers.applyGrant('g1', { version: 1, status: 'active', id: 'g1', principalId: ana.id, expiresAtMs: NOW });
    callers.sweep(NOW + 600_000);
    expect(ask(token, NOW + 599_000)).toBe('grant-revoked');
    expect(ask(tokenOf({ grant_id: 'g2' }))).toBeTypeOf('object');
  });

  it('is refused when its person was signed out after it was issued, suspended or removed', () => {
    const { ask, tokenOf, callers } = scene();
    const token = tokenOf();
    expect(ask(token)).toBeTypeOf('object');
    const told: Revoked[] = [];
    callers.onRevoked((what) => told.push(what));
    callers.applyPrincipal(ana.id, { ...ana, version: 2, signedOutAtMs: NOW });
    expect(ask(token)).toBe('signed-out');
    expect(told).toEqual([{ principalId: ana.id, signedInBeforeMs: NOW }]);
    // Nobody knows which of the two came first in that millisecond.
    expect(ask(tokenOf({ iat: NOW / 1_000 }))).toBe('signed-out');
    expect(ask(tokenOf({ iat: (NOW + 1) / 1_000 }), NOW + 1)).toBeTypeOf('object');
    expect(ask(tokenOf({ iat: (NOW - 1) / 1_000 }))).toBe('signed-out');
    callers.applyPrincipal(ana.id, { ...ana, version: 3, status: 'suspended', signedOutAtMs: NOW });
    expect(ask(tokenOf({ iat: (NOW + 1) / 1_000 }))).toBe('principal-suspended');
  });

  it('names who acts for its person, the nearest first, and is none where the chain is not of its form', () => {
    const { ask, tokenOf, callers } = scene();
    callers.applyPrincipal('svc_1', { ...ana, id: 'svc_1', kind: 'service' });
    const workload = { sub: 'spiffe://corp.example/triage', iss: 'spiffe://corp.example', kind: 'spiffe' };
    const act = { sub: 'svc_1', kind: 'service', act: workload };
    const found = ask(tokenOf({ given_for: 'token-exchange', act, ends_with: ['g2'] }));
    if (typeof found === 'string' || !isClientGrant(found.token)) throw new Error('refused');
    expect(found.token).toMatchObject({ kind: 'token-exchange', endsWith: ['g2'] });
    expect(found.token.actors).toEqual([
      { id: 'svc_1', kind: 'service' },
      { id: 'spiffe://corp.example/triage', kind: 'spiffe' },
    ]);
    const deep = [1, 2, 3, 4].reduce<object>((inner) => ({ ...workload, act: inner }), workload);
    for (const bad of [deep, null, [], { sub: 'svc_1' }, { ...act, act: null }, { ...act, kind: 'human' }])
      expect(ask(tokenOf({ act: bad }))).toBe('malformed');
    for (const bad of [{ ends_with: 'g2' }, { ends_with: [2] }, { ends_with: Array(9).fill('g') }, { given_for: 'x' }])
      expect(ask(tokenOf(bad))).toBe('malformed');
  });

  it('that was exchanged ends with either token it was exchanged for, and with whoever acts', () => {
    const { ask, tokenOf, callers } = scene();
    const service: PrincipalState = { ...ana, id: 'svc_1', kind: 'service', version: 1 };
    const exchanged = (change: object = {}) =>
      tokenOf({ act: { sub: 'svc_1', kind: 'service' }, ends_with: ['subject', 'actor'], ...change });
    expect(ask(exchanged())).toBe('actor-inactive');
    callers.applyPrincipal('svc_1', service);
    expect(ask(exchanged())).toBeTypeOf('object');
    callers.applyPrincipal('svc_1', { ...service, version: 2, signedOutAtMs: NOW });
    expect(ask(exchanged())).toBe('actor-inactive');
    expect(ask(exchanged({ iat: NOW / 1_000 }))).toBe('actor-inactive');
    const later = { iat: (NOW + 1) / 1_000 };
    expect(ask(exchanged(later))).toBeTypeOf('object');
    callers.applyPrincipal('svc_1', { ...service, version: 3, status: 'suspended' });
    expect(ask(exchanged(later))).toBe('actor-inactive');
    callers.applyPrincipal('svc_1', { ...service, version: 4 });
    for (const id of ['subject', 'actor']) {
      const token = exchanged({ ends_with: [id] });
      expect(ask(token)).toBeTypeOf('object');
      callers.applyGrant(id, { version: 2, status: 'revoked', id, principalId: ana.id, expiresAtMs: NOW + 600_000 });
      expect(ask(token)).toBe('grant-revoked');
    }
  });

  it('is refused when the key that signed it is retired, verified before or not', () => {
    const { ask, tokenOf, callers, keys } = scene();
    const token = tokenOf();
    expect(ask(token)).toBeTypeOf('object');
    callers.applyKey('k1', keyState('k1', keys.publicKey, { version: 2, status: 'retired' }));
    expect(ask(token)).toBe('key-unknown');
    callers.applyKey('k1', keyState('k1', keys.publicKey));
    expect(ask(token)).toBe('key-unknown');
  });

  it('never falls through to another method', () => {
    const { callers } = scene();
    expect(callers.examine('wdr_not.a.token', AUDIENCE, NOW, HERE)).toBe('malformed');
    expect(callers.examine('eyJhbGciOiJub25lIn0.e30.', AUDIENCE, NOW, HERE)).toBe('malformed');
  });

  it('is verified again when it was pushed out of a full memory, and an end past the bound takes tokens as old with it', () => {
    const keys = pair();
    const access = new AccessTokens(() => ISSUER, { verifiedMax: 1, endedMax: 2, skewMs: 0 });
    access.applyKey('k1', keyState('k1', keys.publicKey));
    const principalOf = (): PrincipalState => ana;
    const tokenOf = (grant: string, lifeS = 600): string => {
      const claims = { ...CLAIMS, grant_id: grant, exp: NOW / 1_000 + lifeS };
      const signed = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })}.${part(claims)}`;
      const key = createPrivateKey(keys.privateKey.export({ format: 'pem', type: 'pkcs8' }));
      return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    };
    const [one, two] = [tokenOf('one'), tokenOf('two')];
    for (const token of [one, two, one]) expect(access.examine(token, AUDIENCE, NOW, principalOf)).toBeTypeOf('object');
    for (const id of ['a', 'b', 'one']) {
      access.applyGrant(id, { version: 1, status: 'revoked', id, principalId: ana.id, expiresAtMs: NOW + 1 });
    }
    expect(access.examine(one, AUDIENCE, NOW, principalOf)).toBe('grant-revoked');
    expect(
      access.applyGrant('b', { version: 1, status: 'revoked', id: 'b', principalId: ana.id, expiresAtMs: NOW }),
    ).toBe(false);
    expect(
      access.applyGrant('a', { version: 1, status: 'revoked', id: 'a', principalId: ana.id, expiresAtMs: NOW }),
    ).toBe(true);
    // One end was let go: what expires no later than its tokens may be of it.
    expect(access.examine(two, AUDIENCE, NOW, principalOf)).toBeTypeOf('object');
    const late = NOW + 600_000;
    for (const id of ['c', 'd', 'e']) {
      access.applyGrant(id, { version: 1, status: 'revoked', id, principalId: ana.id, expiresAtMs: late });
    }
    expect(access.examine(two, AUDIENCE, NOW, principalOf)).toBe('grant-revoked');
    expect(access.examine(tokenOf('two', 601), AUDIENCE, NOW, principalOf)).toBeTypeOf('object');
  });
});
