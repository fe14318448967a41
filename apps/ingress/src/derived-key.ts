import { hkdfSync } from 'node:crypto';

/** A key of 32 bytes for one purpose, so that what is sealed for one can never be opened as another. */
export function derivedKey(sessionKey: string, purpose: 'session' | 'replica' | 'flow'): Buffer {
  return Buffer.from(hkdfSync('sha256', sessionKey, '', `warder ingress ${purpose}`, 32));
}
