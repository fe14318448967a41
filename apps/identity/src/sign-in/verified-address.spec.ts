import { describe, expect, it } from 'vitest';
import { verifiedAddress } from './verified-address.js';

const email = 'ana@corp.example';

describe('an address of an ID token', () => {
  it.each([
    ['email_verified', true],
    ['email_verified', 'true'],
    ['xms_edov', true],
    ['xms_edov', 1],
    ['xms_edov', '1'],
  ])('is the person’s where the provider says so by %s: %j', (claim, value) => {
    expect(verifiedAddress({ email, [claim]: value }, claim)).toBe(email);
  });

  it.each([
    ['nothing says so', { email }],
    ['it is said not to be', { email, xms_edov: false }],
    ['it is said not to be, in words', { email, xms_edov: 'false' }],
    ['another claim says so than is asked', { email, email_verified: true }],
    ['there is none', { xms_edov: true }],
    ['it is no text', { email: [email], xms_edov: true }],
    ['it is longer than any', { email: `${'a'.repeat(320)}@corp.example`, xms_edov: true }],
  ])('is not taken where %s', (_, claims) => {
    expect(verifiedAddress(claims, 'xms_edov')).toBeNull();
  });

  it('is not taken by a claim that every object has', () => {
    expect(verifiedAddress({ email }, 'constructor')).toBeNull();
  });
});
