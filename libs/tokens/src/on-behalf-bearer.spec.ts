import { describe, expect, it } from 'vitest';
import { onBehalfBearer, principalOfBearer } from './on-behalf-bearer.js';

const KEY = 'a-key-of-thirty-two-characters-or-more';

describe('a bearer on behalf of a principal', () => {
  it.each(['usr_01jd3x7k', '', 'a.b/c~é'])('tells who asks to whoever has the key: "%s"', (principalId) => {
    expect(principalOfBearer(KEY, onBehalfBearer(KEY, principalId))).toBe(principalId);
  });

  it('is nobody without the key, for another principal, or changed', () => {
    const bearer = onBehalfBearer(KEY, 'usr_ana');
    const [who, proof] = bearer.split('.') as [string, string];
    expect(principalOfBearer(`${KEY}!`, bearer)).toBeUndefined();
    const other = Buffer.from('usr_bo').toString('base64url');
    const wrong = [`${other}.${proof}`, who, `${who}.`, `${who}.${proof.slice(1)}`, `${bearer}.x`, '', '.'];
    expect(wrong.filter((text) => principalOfBearer(KEY, text) !== undefined)).toEqual([]);
  });
});
