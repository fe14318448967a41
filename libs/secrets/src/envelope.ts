import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Keyring } from './keyring.js';
import { SecretError } from './secret-store.js';

const FORMAT = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a value as `v1.<key id>.<nonce>.<ciphertext>.<tag>` (AES-256-GCM, base64url, a fresh 96-bit nonce). Format,
 * key id and name are bound as additional data: a file put in another's place does not open.
 */
export function seal(name: string, value: string, keyring: Keyring): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyring.current.key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(keyring.current.id, name));
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  const parts = [nonce, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'));
  return [FORMAT, keyring.current.id, ...parts].join('.');
}

/** @throws SecretError `unknown-key` when the keyring lost the key, `damaged` for anything that was altered */
export function open(name: string, envelope: string, keyring: Keyring): string {
  const [format, keyId, ...parts] = envelope.trim().split('.');
  const [nonce, sealed, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (format !== FORMAT || !keyId || parts.length !== 3 || !nonce || !sealed || !tag) throw damaged(name);
  // A short tag would be accepted as a weaker check of the same message.
  if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES) throw damaged(name);
  const key = keyring.keys.get(keyId);
  if (!key) throw new SecretError('unknown-key', `secret ${name} was sealed with key "${keyId}", not in the keyring`);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(keyId, name));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
  } catch (error) {
    throw damaged(name, error);
  }
}

// As JSON, so that no two pairs of key id and name give the same bytes.
function boundTo(keyId: string, name: string): Buffer {
  return Buffer.from(JSON.stringify(['warder-secret', FORMAT, keyId, name]));
}

function damaged(name: string, cause?: unknown): SecretError {
  return new SecretError('damaged', `secret ${name} was altered or is not a secret of this name`, { cause });
}
