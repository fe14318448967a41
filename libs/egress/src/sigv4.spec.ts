import { describe, expect, it } from 'vitest';
import { signedHeaders } from './sigv4.js';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const request = {
  method: 'GET',
  path: '/',
  host: 'example.amazonaws.com',
  headers: {},
  body: '',
  region: 'us-east-1',
  service: 'service',
};
const AT_MS = Date.UTC(2015, 7, 30, 12, 36, 0);
const signatureOf = (more: Partial<typeof request>) =>
  signedHeaders({ ...request, ...more }, credentials, AT_MS)['authorization']!.replace(/^.*Signature=/, '');

describe('Signature Version 4', () => {
  // The published test suite: get-vanilla and post-vanilla.
  it('signs what the published examples sign as they do', () => {
    expect(signatureOf({})).toBe('5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31');
    expect(signatureOf({ method: 'POST' })).toBe('5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b');
  });

  // The published test suite: get-vanilla-query-order-key-case, get-vanilla-query-unreserved, get-slashes.
  it.each([
    ['/?Param2=value2&Param1=value1', 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500'],
    [
      '/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
      '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
    ],
    ['//example//', '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84'],
  ])('signs %s as the published examples do', (path, signature) => {
    expect(signatureOf({ path })).toBe(signature);
  });

  it('signs the token of temporary credentials too', () => {
    const headers = signedHeaders(request, { ...credentials, sessionToken: 't' }, AT_MS);
    expect(headers['x-amz-security-token']).toBe('t');
    expect(headers['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,');
  });
});
