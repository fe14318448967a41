import type { AskedProvider } from '@warder/access';
import type { ActionWord, Finding, Hold, ProviderDirection, ProviderRecord } from '@warder/contracts';
import { type Actions, placeholderFor, takesOut } from '@warder/detectors';
import type { Cut, ProviderAnswer, Sighting } from '@warder/guardrail-providers';

/** A provider that was asked, and what it said. */
export interface Said {
  readonly provider: AskedProvider;
  readonly answer: ProviderAnswer;
}

/** What the words of all providers together come to. */
export interface Weighed {
  readonly records: readonly ProviderRecord[];
  readonly findings: readonly Finding[];
  readonly holds: readonly Hold[];
  readonly cuts: readonly Cut[];
  readonly isBlocked: boolean;
  /** Providers without a word whose operator said `closed`. */
  readonly missing: readonly string[];
}

/**
 * Weighs what providers said of one direction; what cannot be done as asked is blocked. Pure.
 * @param actions - of the matrix, whose rules go before what the policy's line about a provider asks for
 */
export function weigh(said: readonly Said[], phase: ProviderDirection, actions: Actions): Weighed {
  const findings = new Map<string, Finding>();
  const holds = new Map<string, Hold>();
  const cuts: Cut[] = [];
  const missing: string[] = [];
  for (const { provider, answer } of said) {
    if (answer.sightings === undefined) {
      if (provider.onError === 'closed') missing.push(`${provider.provider} (${answer.error})`);
      continue;
    }
    for (const sighting of answer.sightings) {
      const detector = `provider.${provider.provider}.${sighting.category}`;
      const { rule, shadow, action: asked } = actions.ofProvider(detector, askedOf(provider, sighting));
      const action = doneOf(asked, provider, sighting, phase);
      if (asked === 'off' && shadow === undefined) continue;
      const key = `${detector} ${sighting.kind} ${action}`;
      const count = (findings.get(key)?.count ?? 0) + 1;
      const told = { ...(rule === undefined ? {} : { rule }), ...(shadow === undefined ? {} : { shadow }) };
      findings.set(key, { detector, category: sighting.kind, action, phase, place: '', count, ...told });
      const by = rule ?? detector;
      if (action === 'approve' && holds.size < HOLDS_MAX)
        holds.set(by, { by: 'guardrail', rule: by, reason: 'a guardrail provider saw something in it' });
      if (sighting.span !== undefined && provider.text === 'redacted' && takesOut(action))
        cuts.push({ ...sighting.span, placeholder: action === 'strip' ? '' : placeholderFor(detector) });
    }
  }
  return {
    records: said.map((each) => recordOf(each, phase)),
    findings: [...findings.values()],
    holds: [...holds.values()],
    cuts,
    isBlocked: [...findings.values()].some(({ action }) => action === 'block'),
    missing,
  };
}

const askedOf = ({ action, actions }: AskedProvider, { kind }: Sighting): ActionWord => actions[kind] ?? action;

function doneOf(
  asked: ActionWord,
  { text }: AskedProvider,
  { span }: Sighting,
  phase: ProviderDirection,
): Finding['action'] {
  // What is off is told for the sake of a rule on trial.
  if (asked === 'off') return 'log';
  if ((asked === 'redact' || asked === 'strip') && (span === undefined || text === 'original')) return 'block';
  // What the upstream did is done: an answer cannot wait for a human.
  return asked === 'approve' && phase === 'response' ? 'block' : asked;
}

/** What stands in the record: words of the provider and never of the text. */
export function recordOf({ provider, answer }: Said, phase: ProviderDirection): ProviderRecord {
  const counts = new Map<string, number>();
  for (const { category } of answer.sightings ?? []) counts.set(category, (counts.get(category) ?? 0) + 1);
  const found = [...counts].slice(0, CATEGORIES_MAX).map(([category, count]) => ({ category, count }));
  return { provider: provider.provider, phase, ms: answer.ms, found, error: answer.error ?? null };
}

/** Reasons for which one call waits; one would do. */
const HOLDS_MAX = 20;
/** Categories of one answer that a record keeps. */
const CATEGORIES_MAX = 50;
