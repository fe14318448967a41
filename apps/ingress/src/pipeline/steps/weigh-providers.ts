import type { AskedProvider } from '@warder/access';
import type { Finding, Hold, ProviderDirection, ProviderRecord } from '@warder/contracts';
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

type Done = Finding['action'] | 'approve';

/** Weighs what providers said of one direction; what cannot be done as asked is blocked. Pure. */
export function weigh(said: readonly Said[], phase: ProviderDirection): Weighed {
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
      const done = doneOf(provider, sighting, phase);
      const action = done === 'approve' ? 'flag' : done;
      const key = `${detector} ${sighting.kind} ${action}`;
      const count = (findings.get(key)?.count ?? 0) + 1;
      findings.set(key, { detector, category: sighting.kind, action, phase, place: '', count });
      if (done === 'approve')
        holds.set(detector, { by: 'guardrail', rule: detector, reason: 'a guardrail provider saw something in it' });
      if (sighting.span !== undefined && provider.text === 'redacted' && (action === 'redact' || action === 'block'))
        cuts.push({ ...sighting.span, placeholder: `[redacted:${detector}]` });
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

function doneOf({ action, actions }: AskedProvider, { kind, span }: Sighting, phase: ProviderDirection): Done {
  const asked = actions[kind] ?? action;
  if (asked === 'redact' && span === undefined) return 'block';
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

/** Categories of one answer that a record keeps. */
const CATEGORIES_MAX = 50;
