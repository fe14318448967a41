import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { SECRET_BYTES_MAX, type SealContext, SecretError } from './secret-store.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Nonce, ciphertext, tag: base64url without padding. */
const BODY = /^([\w-]{16})\.([\w-]*)\.([\w-]{22})$/;

/**
 * Seals as `<nonce>.<ciphertext>.<tag>` (AES-256-GCM, base64url). Table, row, column and generation are bound as
 * additional data together with `format`. Each place has a key of its own, derived from the given one: random 96-bit
 * nonces would come near their bound with a few billion values under one key.
 * @param format - what the text is, and which key sealed it: a text of another format or key id does not open
 */
export function sealText(plain: Uint8Array, key: Uint8Array, format: string, context: SealContext): string {
  if (plain.length > SECRET_BYTES_MAX)
    throw new SecretError('too-large', `a value for ${describe(context)} is larger than ${SECRET_BYTES_MAX} bytes`);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(key, context), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(format, context));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return asText([nonce, sealed, cipher.getAuthTag()]);
}

/** @throws SecretError `damaged` for whatever was not sealed with this key and format for this context */
export function openText(body: string, key: Uint8Array, format: string, context: SealContext): Buffer {
  const parts =
    BODY.exec(body)
      ?.slice(1)
      .map((part) => Buffer.from(part, 'base64url')) ?? [];
  const [nonce, sealed, tag] = parts;
  // Other characters may stand for the same bytes: one value has one text.
  if (!nonce || !sealed || !tag || asText(parts) !== body) throw damaged(context);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(key, context), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(format, context));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch (error) {
    throw damaged(context, error);
  }
}

/** @throws TypeError for a context that could not tell two places apart */
export function checkContext({ table, row, column, generation }: SealContext): void {
  if ([table, row, column].some((part) => part === '' || part.length > 512) || !Number.isSafeInteger(generation))
    throw new TypeError('a sealed value needs a table, a row, a column and a whole generation');
}

/** Where it stands, for a sentence; an id and never a value. */
export function describe({ table, row, column, generation }: SealContext): string {
  return `${table}.${column} of ${row}, generation ${generation}`;
}

export function damaged(context: SealContext, cause?: unknown): SecretError {
  return new SecretError('damaged', `the value for ${describe(context)} was altered or is not of this place`, {
    cause,
  });
}

function asText(parts: readonly Buffer[]): string {
  return parts.map((part) => part.toString('base64url')).join('.');
}

// As JSON, so that no two places give the same bytes.
function boundTo(format: string, { table, row, column, generation }: SealContext): Buffer {
  return Buffer.from(JSON.stringify(['warder-sealed', format, table, row, column, generation]));
}

function keyOf(key: Uint8Array, { table, row, column }: SealContext): Buffer {
  const place = JSON.stringify([table, row, column]);
  return Buffer.from(hkdfSync('sha256', key, place, 'warder-sealed-key', KEY_BYTES));
}
