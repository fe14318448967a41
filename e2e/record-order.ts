import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartedCluster } from '@warder/testing';
import pg from 'pg';
import { ClusterKafka, type PublishedRecord } from './cluster-kafka.js';
import { eventually } from './wire-agent.js';

/** Where the audit service keeps its records. */
export function databaseUrl(cluster: StartedCluster): string {
  return readFileSync(join(cluster.volume('secrets-audit'), 'database-url'), 'utf8');
}

/** Every record that the audit service stored. */
export async function storedRecords(cluster: StartedCluster): Promise<PublishedRecord[]> {
  const client = new pg.Client({ connectionString: databaseUrl(cluster) });
  await client.connect();
  try {
    const { rows } = await client.query<PublishedRecord>(
      'SELECT record_id AS "recordId", log, sequence::int AS sequence FROM audit.call_record',
    );
    return rows;
  } finally {
    await client.end();
  }
}

/** What is wrong with the order of records: gaps in the sequence of a log, one number or one id for two of them. */
export function disorderOf(records: readonly PublishedRecord[]): string[] {
  const found: string[] = [];
  const logs = new Map<string, number[]>();
  for (const { log, sequence } of records) (logs.get(log) ?? logs.set(log, []).get(log)!).push(sequence);
  for (const [log, unordered] of logs) {
    const sequences = unordered.toSorted((one, other) => one - other);
    for (let at = 0; at < sequences.length; at += 1) {
      const expected = (sequences[at - 1] ?? 0) + 1;
      if (sequences[at] !== expected) found.push(`${log}: ${sequences[at]} where ${expected} belongs`);
    }
  }
  const ids = new Set(records.map(({ recordId }) => recordId));
  if (ids.size !== records.length) found.push(`${records.length} records have ${ids.size} ids`);
  return found;
}

/** Each record once: a journal that was not told of an acknowledgement sends again. */
export function withoutResent(messages: readonly PublishedRecord[]): PublishedRecord[] {
  return [
    ...new Map(messages.map((record) => [`${record.log} ${record.sequence} ${record.recordId}`, record])).values(),
  ];
}

/**
 * Waits until what the journals published is stored, and says what is out of order in the broker and in the database.
 * Nothing may be called meanwhile.
 */
export async function recordOrder(
  cluster: StartedCluster,
): Promise<{ inKafka: string[]; inPostgres: string[]; records: number; resent: number }> {
  await journalsDrained(cluster);
  const kafka = new ClusterKafka(cluster);
  const messages = await kafka.auditMessages();
  await kafka.close();
  const published = withoutResent(messages);
  let stored: PublishedRecord[] = [];
  await eventually('all of it is stored', async () => {
    stored = await storedRecords(cluster);
    return stored.length >= published.length;
  });
  return {
    inKafka: disorderOf(published),
    inPostgres: disorderOf(stored),
    records: stored.length,
    resent: messages.length - published.length,
  };
}

/** Waits until all that the nodes wrote down has been acknowledged. */
export async function journalsDrained(cluster: StartedCluster, timeoutMs?: number): Promise<void> {
  for (const node of ['ingress-1', 'ingress-2']) {
    const isDrained = async (): Promise<boolean> => (await undelivered(cluster, node)) === 0;
    await eventually(`the journal of ${node} is drained`, isDrained, timeoutMs);
  }
}

async function undelivered(cluster: StartedCluster, node: string): Promise<number> {
  const answer = await fetch(`http://${cluster.address(node, 8080)}/metrics`);
  const [, count] = /^warder_journal_undelivered_records (\d+)$/m.exec(await answer.text()) ?? [];
  return Number(count ?? NaN);
}
