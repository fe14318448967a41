import { guardedFetch } from '@warder/egress';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { metadataUrls, SenderKeys } from './sender-keys.js';
import { Transmitter } from './transmitter.scene.js';

const okta = new Transmitter();
beforeAll(() => okta.listen());
afterAll(() => okta.close());

/** Keys of the transmitter, with a clock that only the test moves. */
function keysAt(clock: { nowMs: number }, issuer = okta.issuer, options: { allowsPrivate?: boolean } = {}): SenderKeys {
  return new SenderKeys({
    issuer,
    jwksUrl: undefined,
    metadataUrls: metadataUrls(okta.issuer, ['ssf-configuration']),
    fetch: guardedFetch({ timeoutMs: 2_000, bytesMax: 65_536, isNamed: () => options.allowsPrivate ?? true }),
    monotonicMs: () => clock.nowMs,
  });
}
const token = (header: object = {}) => okta.event('https://e.example', { format: 'opaque', id: 'x' }, {}, {}, header);
const verified = async (keys: SenderKeys, text: string) =>
  jwtVerify(text, keys.find).then(
    () => 'verified',
    (error: Error) => error.name,
  );

it('reads keys once for a storm of key ids that nobody has', async () => {
  const clock = { nowMs: 0 };
  const keys = keysAt(clock);
  expect(await verified(keys, token())).toBe('verified');
  const before = okta.keysRead;
  const storm = (from: number) =>
    Promise.all(Array.from({ length: 20 }, (_, n) => verified(keys, token({ kid: `k-${from + n}` }))));
  clock.nowMs = 31_000;
  await storm(0);
  clock.nowMs = 60_000;
  await storm(20);
  expect(okta.keysRead - before).toBe(1);
});

it('finds a key that was rotated, by one reading, and forgets the one before it', async () => {
  const clock = { nowMs: 0 };
  const keys = keysAt(clock);
  const old = token();
  expect(await verified(keys, old)).toBe('verified');
  okta.rotate('k2');
  // Whether there is such a key cannot be told: it is not refused for good.
  expect(await verified(keys, token())).toBe('KeysAway');
  clock.nowMs = 31_000;
  expect([await verified(keys, token()), await verified(keys, old)]).toEqual(['verified', 'KeysAway']);
  clock.nowMs = 62_000;
  expect(await verified(keys, old)).toBe('JWKSNoMatchingKey');
});

it('uses the keys it has for an hour while they cannot be read again, and no longer', async () => {
  const clock = { nowMs: 0 };
  const keys = keysAt(clock);
  expect(await verified(keys, token())).toBe('verified');
  okta.failsWith = 500;
  clock.nowMs = 3_500_000;
  expect(await verified(keys, token())).toBe('verified');
  clock.nowMs = 3_700_000;
  expect(await verified(keys, token())).toBe('KeysAway');
  okta.failsWith = undefined;
  clock.nowMs = 3_800_000;
  expect(await verified(keys, token())).toBe('verified');
});

it('believes no metadata of another issuer, and asks no private address that nobody named', async () => {
  expect(await verified(keysAt({ nowMs: 0 }, 'https://other.example'), token())).toBe('KeysAway');
  expect(await verified(keysAt({ nowMs: 0 }, okta.issuer, { allowsPrivate: false }), token())).toBe('KeysAway');
});

it('looks for metadata between host and path, and after it', () => {
  expect(metadataUrls('https://idp.example/realms/a/', ['ssf-configuration'])).toEqual([
    'https://idp.example/.well-known/ssf-configuration/realms/a',
    'https://idp.example/realms/a/.well-known/ssf-configuration',
  ]);
});
