import type { GuardrailProvider, SightingKind } from '@warder/contracts';
import { z } from 'zod';
import { parsed } from './parsed.js';
import { AnswerMalformed, categoryOf, type ProviderKind, type Sighting } from './provider-kind.js';

const Screened = z.object({
  flagged: z.boolean(),
  breakdown: z
    .array(z.object({ detector_type: z.string().min(1).max(200), detected: z.boolean() }))
    .max(1_000)
    .optional(),
  payload: z
    .array(
      z.object({
        detector_type: z.string().min(1).max(200),
        start: z.int(),
        end: z.int(),
        text: z.string(),
      }),
    )
    .max(10_000)
    .optional(),
});

/** @see Lakera Guard API, `POST /v2/guard` */
export function lakera(settings: Extract<GuardrailProvider, { kind: 'lakera' }>): ProviderKind {
  const base = new URL(settings.url);
  const { projectId } = settings;
  return {
    origin: base,
    charsMax: 60_000,
    needsSecret: true,
    request: ({ text, direction }, secret) => ({
      path: `${base.pathname.replace(/\/$/, '')}/v2/guard`,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify({
        messages: [{ role: direction === 'request' ? 'assistant' : 'user', content: text }],
        ...(projectId === undefined ? {} : { project_id: projectId }),
        breakdown: true,
        payload: true,
      }),
    }),
    read: (answer, { text }): readonly Sighting[] => {
      const { flagged, breakdown = [], payload = [] } = parsed(Screened, answer);
      if (!flagged) return [];
      const placed = payload.map(({ detector_type: type, start, end, text: match }) => {
        // The document does not say what offsets count; the match itself says whether they mean what they seem to.
        if (text.slice(start, end) !== match || match === '') return { kind: kindOf(type), category: categoryOf(type) };
        return { kind: kindOf(type), category: categoryOf(type), span: { start, end } };
      });
      const told = new Set(placed.map(({ category }) => category));
      const whole = breakdown
        .filter(({ detected, detector_type: type }) => detected && !told.has(categoryOf(type)))
        .map(({ detector_type: type }) => ({ kind: kindOf(type), category: categoryOf(type) }));
      if (placed.length + whole.length === 0) throw new AnswerMalformed('flagged, and nothing detected');
      return [...placed, ...whole];
    },
  };
}

function kindOf(detector: string): SightingKind {
  if (detector.startsWith('pii')) return 'pii';
  if (detector.startsWith('prompt_attack') || detector.startsWith('unknown_links')) return 'injection';
  return 'content';
}
