import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CredentialForm, credentialOf, keptOf } from './credential-form.js';

const dir = mkdtempSync(join(tmpdir(), 'warder-forms-'));
const DAY_MS = 86_400_000;
const MTLS: CredentialForm = { entry: 'mtls', title: 'Ledger' };
const AWS: CredentialForm = { entry: 'aws-sigv4', title: 'AWS', region: 'eu-west-1', service: 'aws-mcp' };
let certificate: string;
let key: string;
let authority: string;

/** A certificate of its own key, as openssl makes it. */
function selfSigned(name: string, newKey: string[], ...more: string[]): { certificate: string; private_key: string } {
  const [pem, keyFile] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const args = ['req', '-x509', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', pem];
  execFileSync('openssl', [...args, '-newkey', ...newKey, ...more], { stdio: 'ignore' });
  return { certificate: readFileSync(pem, 'utf8'), private_key: readFileSync(keyFile, 'utf8') };
}
const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

beforeAll(async () => {
  const made = await TestAuthority.make(dir);
  const files = await made.certify('ana');
  certificate = readFileSync(files.certificateFile, 'utf8');
  key = readFileSync(files.keyFile, 'utf8');
  authority = readFileSync(files.caFile, 'utf8');
});
afterAll(() => rmSync(dir, { recursive: true }));

const kept = (fields: Record<string, string>, nowMs = Date.now()) => keptOf(MTLS, fields, nowMs);

describe('a client certificate', () => {
  it('is kept with its key and its issuers, written anew, and says whom it names and when it ends', () => {
    const crlf = (text: string): string => `${text.replaceAll('\n', '\r\n')}\r\n`;
    const { text, account, expiresAtMs } = kept({ certificate: crlf(certificate + authority), private_key: crlf(key) });
    expect(account).toMatchObject({ name: 'ana', id: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(Math.abs(expiresAtMs! - Date.now() - 2 * DAY_MS)).toBeLessThan(60_000);
    expect(credentialOf(MTLS, text)).toEqual({ kind: 'client-certificate', certificate: certificate + authority, key });
  });

  it.each(['rsa:2048', 'ed25519'])('may have a key of %s', (newKey) => {
    const fields = selfSigned(newKey.replace(':', '-'), [newKey], '-addext', 'extendedKeyUsage=clientAuth');
    expect(kept(fields).account?.name).toBe(newKey.replace(':', '-'));
  });

  it.each<[string, () => Record<string, string>, number?]>([
    ['certificate is empty', () => ({ private_key: key })],
    ['private_key is empty', () => ({ certificate })],
    ['there is no field pin', () => ({ certificate, private_key: key, pin: '1' })],
    ['certificate is not PEM of certificates alone', () => ({ certificate: certificate + key, private_key: key })],
    ['certificate is not PEM of certificates alone', () => ({ certificate: 'canary', private_key: key })],
    [
      'certificate cannot be read',
      () => ({ certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', private_key: key }),
    ],
    ['certificate has more than 5', () => ({ certificate: certificate.repeat(6), private_key: key })],
    ['certificate has issuers that are out of order', () => ({ certificate: certificate.repeat(2), private_key: key })],
    ['certificate is longer', () => ({ certificate: certificate.repeat(30), private_key: key })],
    ['private_key cannot be read', () => ({ certificate, private_key: 'canary' })],
    ['private_key is longer', () => ({ certificate, private_key: key.repeat(40) })],
    [
      'private_key is encrypted',
      () => ({
        certificate,
        private_key: generateKeyPairSync('ed25519', {
          publicKeyEncoding: { type: 'spki', format: 'pem' },
          privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
        }).privateKey,
      }),
    ],
    [
      'private_key is not the key of the certificate',
      () => ({ certificate, private_key: selfSigned('b', EC).private_key }),
    ],
    ['private_key is none of', () => selfSigned('weak', ['rsa:1024'])],
    ['private_key is none of', () => selfSigned('curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'])],
    ['certificate is not for clients', () => selfSigned('web', EC, '-addext', 'extendedKeyUsage=serverAuth')],
    ['certificate has expired', () => ({ certificate, private_key: key }), 3 * DAY_MS],
    ['certificate is not valid yet', () => ({ certificate, private_key: key }), -DAY_MS],
  ])('is refused as "%s"', (told, fields, laterMs = 0) => {
    expect(() => kept(fields(), Date.now() + laterMs)).toThrow(told);
  });
});

describe('keys of AWS', () => {
  const keys = { access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  const temporary = { ...keys, access_key_id: 'ASIAIOSFODNN7EXAMPLE', session_token: 'AQoDYXdzEPT//////////wEX==' };

  it('are kept, a session token where there is one, and signed with for the provider’s region and service', () => {
    const { text, account, expiresAtMs } = keptOf(AWS, { ...keys, session_token: '' }, 0);
    expect([account?.name, expiresAtMs]).toEqual(['AKIAIOSFODNN7EXAMPLE', undefined]);
    const of = { kind: 'aws-sigv4', secretAccessKey: keys.secret_access_key, region: 'eu-west-1', service: 'aws-mcp' };
    expect(credentialOf(AWS, text)).toEqual({ ...of, accessKeyId: keys.access_key_id });
    expect(credentialOf(AWS, keptOf(AWS, temporary, 0).text)).toEqual({
      ...of,
      accessKeyId: temporary.access_key_id,
      sessionToken: temporary.session_token,
    });
  });

  it.each([
    [{ ...keys, access_key_id: 'short' }, 'access_key_id is not'],
    [{ ...keys, secret_access_key: 'has a space in the middle' }, 'secret_access_key is not'],
    [{ ...temporary, session_token: 'line\nbreak-of-a-token' }, 'session_token is not'],
    [{ ...temporary, session_token: '' }, 'session_token belongs'],
    [{ ...keys, session_token: temporary.session_token }, 'session_token is of temporary keys only'],
  ])('are not kept as %j', (fields, told) => {
    expect(() => keptOf(AWS, fields, 0)).toThrow(told);
  });
});
