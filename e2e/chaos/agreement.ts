import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot, type LedgerEntry } from '@warder/testing';
import pg from 'pg';
import type { PublishedRecord } from '../cluster-kafka.js';
import { ledgerViolations, type RuledRecord } from '../ledger-rule.js';
import { databaseUrl, disorderOf, journalsDrained, withoutResent } from '../record-order.js';
import type { ChaosScene } from './chaos-scene.js';

/** A record as it is stored, with what the rule of the ledger looks at. */
export type StoredRecord = RuledRecord & PublishedRecord & { readonly kind: string; readonly upstream: string | null };

/** What everybody holds of all that ever happened. */
export interface Accounts {
  readonly ledger: readonly LedgerEntry[];
  readonly published: readonly PublishedRecord[];
  readonly stored: readonly StoredRecord[];
  /** By the name of the exporter. */
  readonly exported: Readonly<Record<string, readonly string[]>>;
}

export interface Agreement {
  readonly records: number;
  readonly entries: number;
  /** Records that a journal sent more than once, or that the round sent again. */
  readonly resent: number;
  /** Lines of receivers that hold a record they had already. */
  readonly exportedAgain: number;
}

const UPSTREAM = 'known';
const AGAIN_AFTER_MS = 1_000;
const TOLD_MAX = 12;
const DAY_MS = 86_400_000;

/** The sentences in which the accounts disagree, none where all hold the same. */
export function disagreements({ ledger, published, stored, exported }: Accounts): string[] {
  const once = withoutResent(published);
  const ids = new Set(stored.map(({ recordId }) => recordId));
  const ofUpstream = stored.filter(({ kind, upstream }) => kind === 'call' && upstream === UPSTREAM);
  return [
    ...ledgerViolations(ledger, ofUpstream).map((text) => `ledger: ${text}`),
    ...disorderOf(once).map((text) => `Kafka: ${text}`),
    ...disorderOf(stored).map((text) => `Postgres: ${text}`),
    ...differences('Kafka', new Set(once.map(({ recordId }) => recordId)), ids),
    ...Object.entries(exported).flatMap(([name, held]) => differences(name, new Set(held), ids)),
  ];
}

/**
 * Waits until everybody agrees and the signed logs verify. Nothing may be called meanwhile.
 * @throws Error with the disagreements that are left when `timeoutMs` have passed
 */
export async function expectAgreement(chaos: ChaosScene, timeoutMs: number): Promise<Agreement> {
  const stopAtMs = performance.now() + timeoutMs;
  await journalsDrained(chaos.scene.warder, timeoutMs);
  for (;;) {
    const accounts = await accountsOf(chaos);
    const found = disagreements(accounts);
    if (found.length === 0) found.push(...(await unverified(chaos)));
    if (found.length === 0) return agreementOf(accounts);
    if (performance.now() > stopAtMs) {
      const rest = found.length > TOLD_MAX ? `\nand ${found.length - TOLD_MAX} more` : '';
      throw new Error(`they do not agree:\n${found.slice(0, TOLD_MAX).join('\n')}${rest}`);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
  }
}

async function accountsOf(chaos: ChaosScene): Promise<Accounts> {
  const published = await chaos.kafka.auditMessages();
  return {
    ledger: chaos.scene.fixture.executed(),
    published,
    stored: await storedRecords(chaos),
    exported: await chaos.receivers.ids(),
  };
}

function agreementOf({ ledger, published, stored, exported }: Accounts): Agreement {
  const lines = Object.values(exported);
  return {
    records: stored.length,
    entries: ledger.length,
    resent: published.length - withoutResent(published).length,
    exportedAgain: lines.reduce((sum, held) => sum + held.length - new Set(held).size, 0),
  };
}

async function storedRecords(chaos: ChaosScene): Promise<StoredRecord[]> {
  const client = new pg.Client({ connectionString: databaseUrl(chaos.scene.warder) });
  await client.connect();
  try {
    const { rows } = await client.query<StoredRecord>(
      `SELECT record_id AS "recordId", log, sequence::int AS sequence, kind, upstream, tool, decision, outcome,
         record->'refusal' AS refusal, json_build_object('arguments', record->'personal'->'arguments') AS personal
       FROM audit.call_record`,
    );
    return rows;
  } finally {
    await client.end();
  }
}

function differences(name: string, held: ReadonlySet<string>, stored: ReadonlySet<string>): string[] {
  const lacking = [...stored].filter((id) => !held.has(id));
  const strange = [...held].filter((id) => !stored.has(id));
  return [
    ...(lacking.length > 0 ? [`${name}: ${lacking.length} of ${stored.size} records are missing: ${lacking[0]}`] : []),
    ...(strange.length > 0 ? [`${name}: ${strange.length} that Postgres does not hold: ${strange[0]}`] : []),
  ];
}

/** What `warder audit verify` says of an export of everything, where it does not say that all is proved. */
async function unverified(chaos: ChaosScene): Promise<string[]> {
  const { scene, dir } = chaos;
  const [from, to] = [-3, 1].map((days) => new Date(Date.now() + days * DAY_MS).toISOString());
  const bundle = join(dir, 'bundle.ndjson');
  writeFileSync(bundle, await scene.admin.text(`/audit/bundle?from=${from}&to=${to}`));
  const keys = join(scene.warder.volume('secrets-audit'), 'public');
  const args = [join(checkoutRoot(), 'apps/cli/dist/main.js'), 'audit', 'verify', bundle, '--keys', keys];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 16_777_216 }, (error, out, problems) => {
      resolve(error === null ? [] : [`audit verify: ${problems}${out}`]);
    });
  });
}
