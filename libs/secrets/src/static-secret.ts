/**
 * What the store holds for a static connection. It says itself where it goes, so that a value can never be sent under
 * the header of an earlier or later state; `version` is that of the connection state it belongs to.
 */
export interface StaticSecret {
  readonly version: number;
  readonly kind: 'header' | 'environment';
  /** Header or variable name. */
  readonly name: string;
  readonly value: string;
}

/** Id of the one static connection of an upstream, and the name of its secret. */
export function staticConnectionId(upstream: string): string {
  return `static/${upstream}`;
}

/** The text to put into a store. */
export function encodeStaticSecret(secret: StaticSecret): string {
  const { version, kind, name, value } = secret;
  return JSON.stringify({ version, kind, name, value });
}

/** @throws Error for a text that `encodeStaticSecret` did not write; the message never repeats the text */
export function decodeStaticSecret(text: string): StaticSecret {
  let found: Partial<Record<keyof StaticSecret, unknown>> = {};
  try {
    found = (JSON.parse(text) as typeof found | null) ?? {};
  } catch {
    // JSON.parse quotes what it could not read: here that would be the secret.
  }
  const { version, kind, name, value } = found;
  if (typeof version !== 'number' || typeof name !== 'string' || typeof value !== 'string')
    throw new Error('not a static secret');
  if (kind !== 'header' && kind !== 'environment') throw new Error('not a static secret');
  return { version, kind, name, value };
}
