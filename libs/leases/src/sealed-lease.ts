import {
  createCipheriv,
  createDecipheriv,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import {
  LeasedCredential,
  type LeaseGranted,
  type LeaseRefusal,
  type LeaseRequested,
  type SealedLease,
} from '@warder/contracts';
import { isSignedBy, keyOfText, signatureOf, statement, textOfKey } from './identity.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a lease says in clear of what it seals. */
export type LeaseTerms = Pick<SealedLease, 'version' | 'generation' | 'issuedAtMs' | 'expiresAtMs'>;

type Addressed = Pick<LeaseRequested, 'node' | 'requestId' | 'connectionId' | 'principalId'>;

/** Seals a lease to the key of the request and signs it as credentials; its terms and the request are bound to it. */
export function grantLease(
  request: LeaseRequested,
  { credential, ...terms }: LeaseTerms & { readonly credential: LeasedCredential },
  signer: KeyObject,
  atMs: number,
): LeaseGranted {
  const { version, generation, issuedAtMs, expiresAtMs } = terms;
  const ephemeral = generateKeyPairSync('x25519');
  const clear = {
    keyId: request.sealing.id,
    upstream: request.upstream,
    version,
    generation,
    issuedAtMs,
    expiresAtMs,
    ephemeralKey: textOfKey(ephemeral.publicKey),
  };
  const shared = diffieHellman({
    privateKey: ephemeral.privateKey,
    publicKey: keyOfText('X25519', request.sealing.key),
  });
  const { key, nonce } = derive(shared, clear.ephemeralKey, request.sealing.key);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(request, clear));
  const text = JSON.stringify(credential);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return signed(request, { lease: { ...clear, sealed: sealed.toString('base64url') }, refusal: null, atMs }, signer);
}

/** The signed answer to a request that gets no lease. */
export function refuseLease(
  request: LeaseRequested,
  refusal: LeaseRefusal,
  signer: KeyObject,
  atMs: number,
): LeaseGranted {
  return signed(request, { lease: null, refusal, atMs }, signer);
}

/** Whether credentials said exactly this. */
export function isGrantSigned(granted: LeaseGranted, credentialsKey: KeyObject): boolean {
  return isSignedBy(credentialsKey, grantedBytes(granted), granted.signature);
}

/**
 * Opens a lease with the private half of the key that it was sealed to.
 * @throws Error for one that was sealed to another key, of which anything was altered, or of a kind that this build does
 * not know; it says no more
 */
export function openLease(granted: LeaseGranted, sealingKey: KeyObject): LeasedCredential {
  const { lease } = granted;
  if (lease === null) throw new Error('there is no lease in it');
  const publicKey = keyOfText('X25519', lease.ephemeralKey);
  const shared = diffieHellman({ privateKey: sealingKey, publicKey });
  const { key, nonce } = derive(shared, lease.ephemeralKey, textOfKey(sealingKey));
  const bytes = Buffer.from(lease.sealed, 'base64url');
  if (bytes.length <= TAG_BYTES) throw new Error('not a sealed lease');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(granted, lease));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  const text = Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  const credential = LeasedCredential.safeParse(JSON.parse(text));
  // What is wrong with it would be told with what it holds.
  if (!credential.success) throw new Error('not a credential of a known kind');
  return credential.data;
}

// The sender's key is made for one lease, so that the nonce may come out of the same derivation: neither comes again.
function derive(shared: Buffer, ephemeralKey: string, sealingKey: string): { key: Buffer; nonce: Buffer } {
  const salt = Buffer.concat([Buffer.from(ephemeralKey, 'base64url'), Buffer.from(sealingKey, 'base64url')]);
  const bytes = Buffer.from(hkdfSync('sha256', shared, salt, 'warder lease v1', KEY_BYTES + NONCE_BYTES));
  return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) };
}

function boundTo(to: Addressed, lease: Omit<SealedLease, 'sealed'>): Buffer {
  const { keyId, upstream, version, generation, issuedAtMs, expiresAtMs } = lease;
  return statement('lease', [
    to.node,
    keyId,
    to.principalId,
    to.connectionId,
    upstream,
    version,
    generation,
    issuedAtMs,
    expiresAtMs,
    to.requestId,
  ]);
}

function signed(
  to: Addressed,
  said: Pick<LeaseGranted, 'lease' | 'refusal' | 'atMs'>,
  signer: KeyObject,
): LeaseGranted {
  const { node, requestId, connectionId, principalId } = to;
  const unsigned = { node, requestId, connectionId, principalId, ...said };
  return { ...unsigned, signature: signatureOf(signer, grantedBytes(unsigned)) };
}

function grantedBytes(granted: Omit<LeaseGranted, 'signature'>): Buffer {
  const { node, requestId, connectionId, principalId, lease, refusal, atMs } = granted;
  const bound = lease && [boundTo(granted, lease).toString('utf8'), lease.ephemeralKey, lease.sealed];
  return statement('lease.granted', [node, requestId, connectionId, principalId, bound, refusal, atMs]);
}
