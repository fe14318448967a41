import { createHmac } from 'node:crypto';
import { type GuardrailProvider, SightingKind } from '@warder/contracts';
import { z } from 'zod';
import { spanOfCodePoints } from './code-points.js';
import { parsed } from './parsed.js';
import { categoryOf, type ProviderKind, SecretUnusable } from './provider-kind.js';

/** Characters of a secret that signs; a shorter one can be tried. */
const SECRET_CHARS_MIN = 24;

/** What the receiver answers; an unknown key is an error, for it may be a finding that would be missed. */
const WebhookAnswer = z.strictObject({
  findings: z
    .array(
      z
        .strictObject({
          kind: SightingKind,
          category: z.string().min(1).max(64),
          start: z.int().optional(),
          end: z.int().optional(),
        })
        .refine(({ start, end }) => (start === undefined) === (end === undefined)),
    )
    .max(10_000),
});

/**
 * A receiver of one's own. Signed after Standard Webhooks 1.0: `v1,` and the base64 of HMAC-SHA256 over
 * `<webhook-id>.<webhook-timestamp>.<body>`.
 */
export function webhook(settings: Extract<GuardrailProvider, { kind: 'webhook' }>): ProviderKind {
  const url = new URL(settings.url);
  return {
    origin: url,
    charsMax: 1_048_576,
    needsSecret: true,
    request: ({ callId, tool, virtualServer, direction, text }, secret, { wallMs, nonce }) => {
      if (secret.length < SECRET_CHARS_MIN) throw new SecretUnusable(`shorter than ${SECRET_CHARS_MIN} characters`);
      const timestamp = String(Math.floor(wallMs / 1_000));
      const body = JSON.stringify({ version: 1, callId, virtualServer, tool, direction, text });
      const signature = createHmac('sha256', secret).update(`${nonce}.${timestamp}.${body}`).digest('base64');
      return {
        path: url.pathname + url.search,
        headers: {
          'content-type': 'application/json',
          'webhook-id': nonce,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature}`,
        },
        body,
      };
    },
    read: (answer, { text }) => {
      const spanOf = spanOfCodePoints(text);
      return parsed(WebhookAnswer, answer).findings.map(({ kind, category, start, end }) => ({
        kind,
        category: categoryOf(category),
        ...(start === undefined || end === undefined ? {} : { span: spanOf(start, end) }),
      }));
    },
  };
}
