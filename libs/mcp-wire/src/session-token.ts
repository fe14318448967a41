import { createCipheriv, createDecipheriv } from 'node:crypto';
import { isObject } from './era.js';

/** What a legacy session is: everything a node needs to serve it, so that no node has to remember it. */
export interface LegacySession {
  readonly sessionId: string;
  /** The node that answered `initialize`; it owns what has one owner by nature. */
  readonly node: string;
  readonly principalId: string;
  readonly virtualServer?: string;
  readonly protocolVersion: string;
  readonly clientInfo: Readonly<Record<string, unknown>>;
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Wall-clock milliseconds. */
  readonly issuedAtMs: number;
}

const ALGORITHM = 'aes-256-gcm';
const PREFIX = 'ws1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TOKEN_CHARS_MAX = 8_192;

/**
 * Seals a session into the value of `Mcp-Session-Id` (visible ASCII).
 * @param key - 32 bytes, the same on every node
 * @param nonce - 12 fresh random bytes; never twice under one key
 */
export function sealSession(session: LegacySession, key: Uint8Array, nonce: Uint8Array): string {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(PREFIX));
  const sealed = Buffer.concat([
    nonce,
    cipher.update(JSON.stringify(session), 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return PREFIX + sealed.toString('base64url');
}

/**
 * Opens a session token on any node that holds the key.
 * @param ageMaxMs - sessions older than this are unknown, milliseconds
 * @returns undefined for anything not sealed by us, changed, or too old: the caller answers 404, -32001
 */
export function openSession(
  token: string,
  key: Uint8Array,
  nowMs: number,
  ageMaxMs: number,
): LegacySession | undefined {
  if (!token.startsWith(PREFIX) || token.length > TOKEN_CHARS_MAX) return undefined;
  const sealed = Buffer.from(token.slice(PREFIX.length), 'base64url');
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  // A session has one spelling, or one that was ended would live on under another that decodes alike.
  if (sealed.toString('base64url') !== token.slice(PREFIX.length)) return undefined;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(PREFIX));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)).toString('utf8') + decipher.final('utf8');
    const session: unknown = JSON.parse(text);
    if (!isObject(session) || typeof session['issuedAtMs'] !== 'number') return undefined;
    if (nowMs - session['issuedAtMs'] > ageMaxMs) return undefined;
    return session as unknown as LegacySession;
  } catch {
    // The tag does not fit: a forged, damaged or foreign token is an unknown session and nothing more.
    return undefined;
  }
}
