import type { AuditRecord, PersonalPart } from '@warder/contracts';
import type { LedgerEntry } from '@warder/testing';
import type { AdminDoor } from './admin-door.js';

/** A record as the rule looks at it. */
export type RuledRecord = Pick<AuditRecord, 'recordId' | 'tool' | 'decision' | 'outcome' | 'refusal'> & {
  readonly personal: Pick<PersonalPart, 'arguments'> | null;
};

/** A fixture under the name that the policy gives it. */
export interface RuledUpstream {
  readonly upstream: string;
  readonly ledger: () => readonly LedgerEntry[];
}

/**
 * The sentences in which ledger and records disagree: each entry has exactly one record, each record of a success
 * exactly one entry, and a call that was forbidden has none. Both are told apart by the nonce in the arguments.
 */
export function ledgerViolations(ledger: readonly LedgerEntry[], records: readonly RuledRecord[]): string[] {
  const entriesOf = groupsOf(ledger, ({ nonce }) => nonce);
  const recordsOf = groupsOf(records, nonceOf);
  const found: string[] = [];
  for (const [nonce, entries] of entriesOf) {
    const count = nonce === null ? 0 : (recordsOf.get(nonce)?.length ?? 0);
    if (nonce === null) found.push(`an entry of ${entries[0]?.tool} has no nonce`);
    else if (entries.length !== 1) found.push(`${nonce} was executed ${entries.length} times`);
    else if (count !== 1) found.push(`${nonce} was executed and has ${count} records`);
    else if (recordsOf.get(nonce)?.[0]?.tool !== entries[0]?.tool) found.push(`${nonce} is recorded of another tool`);
  }
  for (const [nonce, alike] of recordsOf) {
    const count = nonce === null ? 0 : (entriesOf.get(nonce)?.length ?? 0);
    for (const { recordId, outcome, decision } of alike) {
      if (outcome === 'success' && count !== 1) found.push(`success ${recordId} (${nonce}) has ${count} entries`);
      if (decision === 'forbid' && count > 0) found.push(`forbidden ${recordId} (${nonce}) was executed`);
    }
  }
  return found;
}

/**
 * Waits until ledgers and records agree: records travel behind their calls. Every call of the upstreams must have
 * carried a nonce of its own.
 * @throws Error with the disagreements that are left when `timeoutMs` have passed
 */
export async function expectLedgersHold(
  admin: AdminDoor,
  upstreams: readonly RuledUpstream[],
  timeoutMs = 30_000,
): Promise<void> {
  const stopAtMs = performance.now() + timeoutMs;
  for (;;) {
    const found: string[] = [];
    for (const { upstream, ledger } of upstreams) {
      const records = await admin.records({ upstream, kind: 'call' });
      found.push(...ledgerViolations(ledger(), records).map((sentence) => `${upstream}: ${sentence}`));
    }
    if (found.length === 0) return;
    if (performance.now() > stopAtMs) throw new Error(`the ledger does not hold:\n${found.slice(0, 20).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** The nonce of a record, also where its arguments were cut. */
function nonceOf({ personal }: RuledRecord): string | null {
  const captured = personal?.arguments ?? null;
  if (captured === null) return null;
  if ('head' in captured) return /"nonce":"([^"]*)"/.exec(String(captured.head))?.[1] ?? null;
  if (!('value' in captured)) return null;
  const nonce = (captured.value as { nonce?: unknown } | null)?.nonce;
  return typeof nonce === 'string' ? nonce : null;
}

function groupsOf<T>(values: readonly T[], keyOf: (value: T) => string | null): Map<string | null, T[]> {
  const groups = new Map<string | null, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
