import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

type Curve = 'Ed25519' | 'X25519';

/** A public key of Curve25519 as messages carry it: its 32 bytes, base64url. */
export function textOfKey(key: KeyObject): string {
  const { x } = createPublicKeyOf(key).export({ format: 'jwk' });
  if (x === undefined) throw new Error('not a key of Curve25519');
  return x;
}

/** @throws Error for a text that is no public key of the curve */
export function keyOfText(curve: Curve, text: string): KeyObject {
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: curve, x: text } });
}

/**
 * Reads an Ed25519 private key in PEM, as a node keeps its identity.
 * @throws Error for anything else
 */
export function identityOfPem(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
  return key;
}

/**
 * What is signed of a message: its purpose and its members, in an order that is fixed, as JSON. So no two messages give
 * the same bytes, and a signature for one purpose is none for another.
 */
export function statement(purpose: string, members: readonly unknown[]): Buffer {
  return Buffer.from(JSON.stringify([`warder ${purpose} v1`, ...members]));
}

/** Signs bytes of `statement`; Ed25519, base64url. */
export function signatureOf(privateKey: KeyObject, bytes: Buffer): string {
  return sign(null, bytes, privateKey).toString('base64url');
}

/** Whether the key signed exactly these bytes. */
export function isSignedBy(publicKey: KeyObject | string, bytes: Buffer, signature: string): boolean {
  try {
    const key = typeof publicKey === 'string' ? keyOfText('Ed25519', publicKey) : publicKey;
    return verify(null, bytes, key, Buffer.from(signature, 'base64url'));
  } catch {
    // A text of the right length need not be a point of the curve.
    return false;
  }
}

function createPublicKeyOf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}
