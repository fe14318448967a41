import type { GuardrailProvider } from '@warder/contracts';
import { z } from 'zod';
import { spanOfCodePoints } from './code-points.js';
import { parsed } from './parsed.js';
import { categoryOf, type ProviderKind } from './provider-kind.js';

const SIGHTINGS_MAX = 10_000;
const Analysis = z
  .array(
    z.object({
      entity_type: z.string().min(1).max(200),
      start: z.int(),
      end: z.int(),
      score: z.number().min(0).max(1),
    }),
  )
  .max(SIGHTINGS_MAX);

/** @see docs/api-docs/api-docs.yml of Presidio, `POST /analyze` */
export function presidio(settings: Extract<GuardrailProvider, { kind: 'presidio' }>): ProviderKind {
  const base = new URL(settings.url);
  const { language, scoreMin, entities } = settings;
  return {
    origin: base,
    charsMax: 100_000,
    // The analyzer asks for none; what stands in front of it may.
    needsSecret: false,
    request: ({ text, callId }, secret) => ({
      path: `${base.pathname.replace(/\/$/, '')}/analyze`,
      headers: {
        'content-type': 'application/json',
        ...(secret === '' ? {} : { authorization: `Bearer ${secret}` }),
      },
      body: JSON.stringify({
        text,
        language,
        score_threshold: scoreMin,
        correlation_id: callId,
        ...(entities === undefined ? {} : { entities }),
      }),
    }),
    read: (answer, { text }) => {
      const spanOf = spanOfCodePoints(text);
      return parsed(Analysis, answer)
        .filter(({ score }) => score >= scoreMin)
        .map(({ entity_type: entity, start, end }) => ({
          kind: 'pii' as const,
          category: categoryOf(entity),
          span: spanOf(start, end),
        }));
    },
  };
}
