import { createDecipheriv } from 'node:crypto';
import type { Keyring } from './keyring.js';
import { checkContext, damaged, openText, sealText } from './sealed-text.js';
import { type SealContext, SecretError } from './secret-store.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `v2.<key id>.<nonce>.<ciphertext>.<tag>`, sealed with the keyring's current key. */
export function sealWith(keyring: Keyring, plain: Uint8Array, context: SealContext): string {
  checkContext(context);
  const { id, key } = keyring.current;
  return `v2.${id}.${sealText(plain, key, `v2.${id}`, context)}`;
}

/** @throws SecretError `unknown-key` when the keyring lost the key, `damaged` for anything that was altered */
export function openWith(keyring: Keyring, sealed: string, context: SealContext): Buffer {
  checkContext(context);
  const [, keyId = '', body = ''] = /^v2\.([\w-]{1,40})\.(.*)$/.exec(sealed) ?? [];
  if (keyId === '') throw damaged(context);
  return openText(body, keyFor(keyring, keyId), `v2.${keyId}`, context);
}

/** Whether the key that seals now sealed it. */
export function isCurrent(keyring: Keyring, sealed: string): boolean {
  return sealed.startsWith(`v2.${keyring.current.id}.`);
}

/**
 * Opens a named secret of the first format, `v1.<key id>.<nonce>.<ciphertext>.<tag>`, which was bound to format, key id
 * and name, and sealed with the key itself. Nothing is sealed so any more.
 */
export function openV1(keyring: Keyring, name: string, envelope: string, context: SealContext): Buffer {
  const [format, keyId, ...parts] = envelope.split('.');
  const [nonce, sealed, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (format !== 'v1' || !keyId || parts.length !== 3 || !nonce || !sealed || !tag) throw damaged(context);
  // A short tag would be accepted as a weaker check of the same message.
  if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES) throw damaged(context);
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', keyFor(keyring, keyId), nonce, options);
  decipher.setAAD(Buffer.from(JSON.stringify(['warder-secret', 'v1', keyId, name])));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch (error) {
    throw damaged(context, error);
  }
}

function keyFor(keyring: Keyring, keyId: string): Buffer {
  const key = keyring.keys.get(keyId);
  if (!key) throw new SecretError('unknown-key', `a value was sealed with key "${keyId}", not in the keyring`);
  return key;
}
