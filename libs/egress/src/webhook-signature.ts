import { createHmac } from 'node:crypto';

/** Bytes of a secret: what Standard Webhooks asks for. */
const SECRET_BYTES = { min: 24, max: 64 };

/**
 * The key in a secret of the form `whsec_<base64>`.
 * @throws Error for another form or length; the secret is not in it
 */
export function webhookKey(secret: string): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const key = Buffer.from(encoded ?? '', 'base64');
  if (key.length < SECRET_BYTES.min || key.length > SECRET_BYTES.max)
    throw new Error('a webhook secret is whsec_ and 24 to 64 bytes in base64');
  return key;
}

/**
 * The three headers of a post: an HMAC-SHA256 over `id.timestamp.body` for each key, so that neither the body, nor its
 * time, nor its id can be changed, and an old post cannot pass for a new one.
 * @param atMs - wall milliseconds of this attempt; the header has seconds
 * @see Standard Webhooks, Signature scheme
 */
export function webhookHeaders(
  id: string,
  atMs: number,
  body: string,
  keys: readonly Buffer[],
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
