import type { GuardrailProvider, SightingKind } from '@warder/contracts';
import { z } from 'zod';
import { googleToken } from './google-token.js';
import { parsed } from './parsed.js';
import { AnswerMalformed, categoryOf, type ProviderKind, type Sighting } from './provider-kind.js';

const MatchState = z.enum(['NO_MATCH_FOUND', 'MATCH_FOUND', 'FILTER_MATCH_STATE_UNSPECIFIED']);
const Sanitized = z.object({
  sanitizationResult: z.object({
    filterMatchState: z.enum(['NO_MATCH_FOUND', 'MATCH_FOUND']),
    invocationResult: z.enum(['SUCCESS', 'PARTIAL', 'FAILURE']),
    filterResults: z.record(z.string(), z.unknown()).default({}),
  }),
});

const KINDS: Readonly<Record<string, SightingKind>> = {
  pi_and_jailbreak: 'injection',
  malicious_uris: 'injection',
  sdp: 'pii',
};
const DEPTH_MAX = 4;

/** @see Model Armor API v1, projects.locations.templates.sanitizeUserPrompt and sanitizeModelResponse */
export function modelArmor(settings: Extract<GuardrailProvider, { kind: 'model-armor' }>): ProviderKind {
  const location = settings.template.split('/')[3]!;
  const base = new URL(settings.url ?? `https://modelarmor.${location}.rep.googleapis.com`);
  return {
    origin: base,
    charsMax: 20_000,
    needsSecret: true,
    token: googleToken(settings.tokenUrl),
    request: ({ text, direction }, token) => {
      const [method, member] =
        direction === 'request'
          ? ['sanitizeUserPrompt', 'userPromptData']
          : ['sanitizeModelResponse', 'modelResponseData'];
      return {
        path: `${base.pathname.replace(/\/$/, '')}/v1/${settings.template}:${method}`,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ [member!]: { text } }),
      };
    },
    read: (answer): readonly Sighting[] => {
      const { filterMatchState, invocationResult, filterResults } = parsed(Sanitized, answer).sanitizationResult;
      const matched = Object.entries(filterResults).filter(([, result]) => isMatch(result, 0));
      const found = matched.map(([name]) => ({
        kind: KINDS[name] ?? ('content' as const),
        category: categoryOf(name),
      }));
      if (filterMatchState === 'MATCH_FOUND' && found.length === 0) return [{ kind: 'content', category: 'match' }];
      // A filter that did not run may be the one that would have matched.
      if (found.length === 0 && invocationResult !== 'SUCCESS') throw new AnswerMalformed('not every filter ran');
      return found;
    },
  };
}

/** Each filter wraps its `matchState` in a member of its own name, sensitive data in one more. */
function isMatch(result: unknown, depth: number): boolean {
  if (typeof result !== 'object' || result === null || depth > DEPTH_MAX) return false;
  const { matchState } = result as { matchState?: unknown };
  if (MatchState.safeParse(matchState).data === 'MATCH_FOUND') return true;
  return Object.values(result).some((member) => isMatch(member, depth + 1));
}
