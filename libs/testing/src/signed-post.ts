import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ReceivedRequest } from './fake-receiver.js';

/** Seconds that a post may be old or early. */
const TOLERANCE_S = 300;

/**
 * Whether a request is a post as Standard Webhooks signs it, of now, and under this secret.
 * @param secret - `whsec_` and base64
 */
export function isSignedPost({ headers, body, method }: ReceivedRequest, secret: string, nowMs: number): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (method !== 'POST' || id === undefined || timestamp === undefined || signatures === undefined) return false;
  if (!/^\d+$/.test(timestamp) || Math.abs(nowMs / 1_000 - Number(timestamp)) > TOLERANCE_S) return false;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  return signatures.split(' ').some((signature) => {
    const [version, encoded = ''] = signature.split(',');
    const given = Buffer.from(encoded, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
