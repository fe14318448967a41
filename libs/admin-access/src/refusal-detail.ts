import { BUILT_IN_PACKS, createEngine } from '@warder/detectors';

/** What is looked at of a sentence, and what is kept of it. */
const LOOKED_AT_CHARACTERS = 4_096;
const KEPT_CHARACTERS = 500;

const engine = createEngine([
  { version: 1, status: 'active', pack: 'refusals', detectors: [...BUILT_IN_PACKS.secrets] },
]);
const ACTIONS = { secret: 'redact', pii: 'off', injection: 'off', hidden: 'off' } as const;

/**
 * A refusal's sentence as its record keeps it: without secrets, and cut. Sentences name keys and names that the caller
 * wrote, as many and as long as a body may have, and a secret can stand where a key should.
 */
export function keptDetail(sentence: string): string {
  const { text } = engine.screen({ text: sentence.slice(0, LOOKED_AT_CHARACTERS) }, 'request', ACTIONS).value as {
    text: string;
  };
  return text.length <= KEPT_CHARACTERS ? text : `${text.slice(0, KEPT_CHARACTERS - 1)}…`;
}
