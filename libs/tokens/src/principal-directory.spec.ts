import { randomBytes } from 'node:crypto';
import { type PrincipalState, principalStateTopic, type TokenState, tokenStateTopic } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { PrincipalDirectory, type Revoked } from './principal-directory.js';
import { digestOf } from './token-digest.js';
import { issueToken } from './token-text.js';

const PEPPER = 'a pepper of thirty-two characters';
const OLD_PEPPER = 'an older pepper of thirty-two chars';
const NOW_MS = 1_791_000_000_000;
const HERE = '10.1.2.3';
const ana: PrincipalState = { ...principalStateTopic.example, id: 'usr_ana', version: 1 };
const laptop: TokenState = { ...tokenStateTopic.example, principalId: 'usr_ana', version: 1 };

function directoryWith(token: string, state: TokenState = laptop, principal: PrincipalState = ana): PrincipalDirectory {
  const directory = new PrincipalDirectory({ p2: 'x'.repeat(32), p1: PEPPER });
  directory.applyPrincipal(principal.id, principal);
  directory.applyToken(digestOf(token, PEPPER), state);
  return directory;
}

describe('the principal directory', () => {
  const bearer = issueToken(randomBytes);

  it('finds the principal of an active token, under an older pepper too', () => {
    expect(directoryWith(bearer).find(bearer, NOW_MS, HERE)).toEqual({ principal: ana, token: laptop });
  });

  it('knows a token by its id, revoked or not', () => {
    const revoked: TokenState = { ...laptop, status: 'revoked' };
    expect(directoryWith(bearer, revoked).tokenById(laptop.id)).toBe(revoked);
    expect(directoryWith(bearer).tokenById('pat_other')).toBeUndefined();
  });

  it('refuses what it does not know and says why to the operator alone', () => {
    const directory = directoryWith(bearer);
    expect(directory.find('wdr_guess', NOW_MS, HERE)).toBeUndefined();
    expect(directory.examine('wdr_guess', NOW_MS, HERE)).toBe('malformed');
    expect(directory.examine(issueToken(randomBytes), NOW_MS, HERE)).toBe('unknown');
    expect(directory.examine(bearer, laptop.expiresAtMs, HERE)).toBe('expired');
    expect(directoryWith(bearer, { ...laptop, status: 'revoked' }).examine(bearer, NOW_MS, HERE)).toBe('revoked');
    expect(directoryWith(bearer, { ...laptop, principalId: 'usr_x' }).examine(bearer, NOW_MS, HERE)).toBe(
      'principal-unknown',
    );
    const suspended: PrincipalState = { ...ana, status: 'suspended' };
    expect(directoryWith(bearer, laptop, suspended).examine(bearer, NOW_MS, HERE)).toBe('principal-suspended');
    const removed: PrincipalState = { ...ana, status: 'removed' };
    expect(directoryWith(bearer, laptop, removed).examine(bearer, NOW_MS, HERE)).toBe('principal-removed');
  });

  it('accepts a token that is bound to addresses from these alone, and knows its holder all the same', () => {
    const bound: TokenState = { ...laptop, scopes: { tools: null, addresses: ['10.0.0.0/8', '2001:db8::/32'] } };
    const directory = directoryWith(bearer, bound);
    for (const address of [HERE, '::ffff:10.1.2.3', '::ffff:a01:203', '2001:db8::7']) {
      expect(directory.examine(bearer, NOW_MS, address)).toEqual({ principal: ana, token: bound });
    }
    for (const address of ['11.1.2.3', '::ffff:11.1.2.3', '2001:db9::7', '::a01:203', '', 'unknown']) {
      expect(directory.examine(bearer, NOW_MS, address)).toBe('address-outside');
    }
    expect(directory.holderOf(bearer)).toEqual({ principal: ana, token: bound });
    expect(directory.holderOf(issueToken(randomBytes))).toBeUndefined();
    directory.applyToken(digestOf(bearer, PEPPER), { ...bound, version: 2, scopes: { tools: null, addresses: [] } });
    expect(directory.examine(bearer, NOW_MS, HERE)).toBe('address-outside');
  });

  it('refuses a digest that was made with another pepper than its record names', () => {
    const directory = new PrincipalDirectory({ p1: PEPPER, p0: OLD_PEPPER });
    directory.applyPrincipal('usr_ana', ana);
    directory.applyToken(digestOf(bearer, OLD_PEPPER), laptop);
    expect(directory.examine(bearer, NOW_MS, HERE)).toBe('unknown');
  });

  it('never lets an older version bring a revoked token or principal back', () => {
    const directory = directoryWith(bearer);
    const digest = digestOf(bearer, PEPPER);
    directory.applyToken(digest, { ...laptop, version: 3, status: 'revoked' });
    directory.applyToken(digest, { ...laptop, version: 2 });
    directory.applyToken(digest, { ...laptop, version: 3 });
    expect(directory.examine(bearer, NOW_MS, HERE)).toBe('revoked');
    directory.applyPrincipal('usr_ana', { ...ana, version: 5, status: 'removed' });
    directory.applyPrincipal('usr_ana', { ...ana, version: 4 });
    expect(directory.principalById('usr_ana')?.status).toBe('removed');
  });

  it('tells every listener once of a revocation, after it refuses the bearer', () => {
    const directory = directoryWith(bearer);
    const heard: Revoked[] = [];
    directory.onRevoked(() => {
      throw new Error('a listener that fails');
    });
    const stop = directory.onRevoked((what) => {
      expect(directory.find(bearer, NOW_MS, HERE)).toBeUndefined();
      heard.push(what);
    });
    const digest = digestOf(bearer, PEPPER);
    expect(() => directory.applyToken(digest, { ...laptop, version: 2, status: 'revoked' })).toThrow(AggregateError);
    directory.applyToken(digest, { ...laptop, version: 3, status: 'revoked' });
    expect(() => directory.applyPrincipal('usr_ana', { ...ana, version: 2, status: 'suspended' })).toThrow(
      AggregateError,
    );
    stop();
    expect(heard).toEqual([{ tokenId: laptop.id, generation: 1 }, { principalId: 'usr_ana' }]);
  });

  it('tells of an expiry once and forgets the token after the skew', () => {
    const directory = directoryWith(bearer);
    const heard: Revoked[] = [];
    directory.onRevoked((what) => heard.push(what));
    directory.sweep(laptop.expiresAtMs - 1);
    expect(heard).toEqual([]);
    directory.sweep(laptop.expiresAtMs);
    directory.sweep(laptop.expiresAtMs + 299_999);
    expect(heard).toEqual([{ tokenId: laptop.id, generation: 1 }]);
    expect(directory.size().tokens).toBe(1);
    directory.sweep(laptop.expiresAtMs + 300_000);
    expect(directory.size().tokens).toBe(0);
    expect(directory.examine(bearer, laptop.expiresAtMs, HERE)).toBe('unknown');
  });

  it('takes both secrets of a rotated token, each to its own end, and tells which one ended', () => {
    const rotated = issueToken(randomBytes);
    const directory = directoryWith(bearer);
    const heard: Revoked[] = [];
    directory.onRevoked((what) => heard.push(what));
    const current: TokenState = { ...laptop, version: 2, generation: 2 };
    const graceEndsAtMs = NOW_MS + 60_000;
    directory.applyToken(digestOf(bearer, PEPPER), { ...laptop, version: 2, expiresAtMs: graceEndsAtMs });
    directory.applyToken(digestOf(rotated, PEPPER), current);
    expect(directory.find(bearer, NOW_MS, HERE)?.token.id).toBe(laptop.id);
    expect(directory.find(rotated, NOW_MS, HERE)?.token).toBe(current);
    expect(directory.tokenById(laptop.id)).toBe(current);
    expect(directory.examine(bearer, graceEndsAtMs, HERE)).toBe('expired');
    expect(directory.find(rotated, graceEndsAtMs, HERE)?.token).toBe(current);
    directory.sweep(graceEndsAtMs);
    expect(heard).toEqual([{ tokenId: laptop.id, generation: 1 }]);
    directory.applyToken(digestOf(rotated, PEPPER), { ...current, version: 3, status: 'revoked' });
    expect(heard.at(-1)).toEqual({ tokenId: laptop.id, generation: 2 });
    expect(directory.examine(rotated, NOW_MS, HERE)).toBe('revoked');
  });

  it('takes in no more than its bounds, but every change of what it holds', () => {
    const bounds = { principalsMax: 1, tokensMax: 1, skewMs: 0 };
    const directory = new PrincipalDirectory({ p1: PEPPER }, bounds);
    directory.applyPrincipal('usr_ana', ana);
    directory.applyPrincipal('usr_bea', { ...ana, id: 'usr_bea' });
    directory.applyToken(digestOf(bearer, PEPPER), laptop);
    directory.applyToken('another', { ...laptop, id: 'pat_other' });
    expect(directory.size()).toEqual({ principals: 1, tokens: 1, refusedEntries: 2 });
    directory.applyToken(digestOf(bearer, PEPPER), { ...laptop, version: 2, status: 'revoked' });
    expect(directory.examine(bearer, NOW_MS, HERE)).toBe('revoked');
  });

  it('refuses to be made without a pepper or with a short one', () => {
    expect(() => new PrincipalDirectory({})).toThrow('needs a pepper');
    expect(() => new PrincipalDirectory({ p1: 'short' })).toThrow('32 characters');
  });
});
