import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { KeptFields } from '@warder/contracts';
import { FieldsRefused, type FormField } from './form-field.js';

/** What somebody proves themselves with in TLS. */
export interface KeptCertificate {
  /** PEM: the certificate, and behind it what issued it. */
  readonly certificate: string;
  /** PEM, PKCS #8, not encrypted. */
  readonly key: string;
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string;
  /** Whom it names, for people. */
  readonly subject: string;
  /** Wall milliseconds at which it, or the first of its issuers, ends. */
  readonly expiresAtMs: number;
}

export const CERTIFICATE_FIELDS: readonly FormField[] = [
  { name: 'certificate', title: 'Certificate (PEM), its issuers behind it', isSecret: false, isLong: true },
  { name: 'private_key', title: 'Private key (PEM)', isSecret: true, isLong: true },
];

const CHAIN_MAX = 5;
const CHAIN_CHARS_MAX = 12_288;
const KEY_CHARS_MAX = 8_192;
const RSA_BITS_MIN = 2_048;
const RSA_BITS_MAX = 8_192;
const SUBJECT_CHARS_MAX = 200;
/** The names that OpenSSL has for P-256, P-384 and P-521. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Extended key usages that let it prove a client (RFC 5280 section 4.2.1.12): clientAuth and any. */
const FOR_CLIENTS = new Set(['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']);
const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * Reads a certificate with its key, and writes both anew: nothing of the texts is kept that is neither.
 * @param nowMs - wall milliseconds
 * @throws FieldsRefused for what TLS could not use, or not for long, or should not
 */
export function certificateOf(fields: KeptFields, nowMs: number): KeptCertificate {
  const chain = chainOf(fields['certificate'] ?? '');
  const [leaf] = chain as [X509Certificate];
  const key = keyOf(fields['private_key'] ?? '');
  if (!leaf.checkPrivateKey(key)) throw new FieldsRefused('private_key is not the key of the certificate');
  if (Date.parse(leaf.validFrom) > nowMs) throw new FieldsRefused('certificate is not valid yet');
  const expiresAtMs = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
  if (!(expiresAtMs > nowMs)) throw new FieldsRefused('certificate has expired');
  const usages = leaf.keyUsage as string[] | undefined;
  if (usages !== undefined && !usages.some((usage) => FOR_CLIENTS.has(usage)))
    throw new FieldsRefused('certificate is not for clients');
  return {
    certificate: chain.map((each) => each.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: subjectOf(leaf),
    expiresAtMs,
  };
}

function chainOf(text: string): readonly X509Certificate[] {
  if (text.length > CHAIN_CHARS_MAX)
    throw new FieldsRefused(`certificate is longer than ${CHAIN_CHARS_MAX} characters`);
  const blocks = text.match(BLOCK) ?? [];
  // A private key above all: the field is not one that is kept from sight.
  if (blocks.length === 0 || text.replaceAll(BLOCK, '').trim() !== '')
    throw new FieldsRefused('certificate is not PEM of certificates alone');
  if (blocks.length > CHAIN_MAX) throw new FieldsRefused(`certificate has more than ${CHAIN_MAX} certificates`);
  const chain = blocks.map((block) => parsed('certificate', () => new X509Certificate(block)));
  for (const [index, issuer] of chain.slice(1).entries())
    if (!chain[index]!.checkIssued(issuer)) throw new FieldsRefused('certificate has issuers that are out of order');
  return chain;
}

function keyOf(text: string): KeyObject {
  if (text.length > KEY_CHARS_MAX) throw new FieldsRefused(`private_key is longer than ${KEY_CHARS_MAX} characters`);
  if (/ENCRYPTED/.test(text)) throw new FieldsRefused('private_key is encrypted');
  const key = parsed('private_key', () => createPrivateKey(text));
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const isTaken =
    key.asymmetricKeyType === 'rsa'
      ? modulusLength >= RSA_BITS_MIN && modulusLength <= RSA_BITS_MAX
      : key.asymmetricKeyType === 'ec'
        ? CURVES.has(namedCurve)
        : key.asymmetricKeyType === 'ed25519';
  if (!isTaken)
    throw new FieldsRefused(
      `private_key is none of RSA of ${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits, P-256, P-384, P-521 and Ed25519`,
    );
  return key;
}

/** What OpenSSL says of a text may show some of it. */
function parsed<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new FieldsRefused(`${field} cannot be read`);
  }
}

function subjectOf(leaf: X509Certificate): string {
  const lines = leaf.subject?.split('\n') ?? [];
  const name = lines.find((line) => line.startsWith('CN='))?.slice('CN='.length) ?? lines.join(', ');
  const shown = name.replaceAll(/\p{C}/gu, '').slice(0, SUBJECT_CHARS_MAX);
  return shown === '' ? 'a certificate without a name' : shown;
}
