import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Pepper } from '@warder/contracts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keys that identity derives from its pepper, so that whoever reads the database alone can neither sign a token nor use
 * one. What an older pepper sealed is opened by its key id.
 */
export class Sealing {
  constructor(private readonly pepper: Pepper) {}

  /** AES-256-GCM; `place` (table, column and row) is bound to it, so that nothing can be put in another's place. */
  seal(plain: string, place: string): string {
    const { current } = this.pepper;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key(current, 'seal'), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(place));
    const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${current}.${sealed.toString('base64url')}`;
  }

  /** @throws Error when it was sealed for another place, by a pepper that is gone, or altered */
  open(sealed: string, place: string): string {
    const [keyId = '', text = ''] = sealed.split('.', 2);
    const bytes = Buffer.from(text, 'base64url');
    const end = bytes.length - TAG_BYTES;
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.key(keyId, 'seal'), nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(end));
    return decipher.update(bytes.subarray(NONCE_BYTES, end)).toString('utf8') + decipher.final('utf8');
  }

  /** Keys by which cookies are signed, the current one first. */
  cookieKeys(): string[] {
    const { current, keys } = this.pepper;
    const ids = [current, ...Object.keys(keys).filter((id) => id !== current)];
    return ids.map((id) => this.key(id, 'cookies').toString('base64url'));
  }

  /** The key that ties forms to browsers. */
  formKey(): string {
    return this.key(this.pepper.current, 'forms').toString('base64url');
  }

  private key(keyId: string, purpose: string): Buffer {
    const secret = Object.hasOwn(this.pepper.keys, keyId) ? this.pepper.keys[keyId] : undefined;
    if (secret === undefined) throw new Error(`no pepper has the key id ${keyId}`);
    return Buffer.from(hkdfSync('sha256', secret, '', `warder identity ${purpose}`, 32));
  }
}
