import { AuditRecord } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closedDays, loadDays } from './load-days.js';

const NOW = Date.parse('2026-11-25T12:00:00Z');

describe('closed days that are loaded', () => {
  let postgres: EmbeddedPostgres;
  let client: pg.Client;

  beforeAll(async () => {
    postgres = await startEmbeddedPostgres({ ephemeral: true });
    client = new pg.Client({ connectionString: postgres.url, options: '-c search_path=audit' });
    await client.connect();
    await client.query('CREATE SCHEMA audit');
    await client.query(TABLES);
    await loadDays(postgres.url, closedDays(NOW, 3, 3_001), () => {});
  });
  afterAll(async () => {
    await client?.end();
    await postgres?.stop();
  });

  it('hold as many records as were asked for, each in the partition of its day', async () => {
    const { rows } = await client.query(
      `SELECT tableoid::regclass::text AS partition, count(*)::int AS records FROM call_record GROUP BY 1 ORDER BY 1`,
    );
    expect(rows).toEqual([
      { partition: 'call_record_20261122', records: 1_001 },
      { partition: 'call_record_20261123', records: 1_000 },
      { partition: 'call_record_20261124', records: 1_000 },
    ]);
  });

  it('hold records that are valid, committed to and like their columns', async () => {
    const { rows } = await client.query<{ text: string; upstream: string; tool: string; principal_id: string }>(
      'SELECT record::text AS text, upstream, tool, principal_id FROM call_record',
    );
    for (const { text, upstream, tool, principal_id } of rows) {
      const record = AuditRecord.parse(JSON.parse(text));
      const personal = text.slice(text.indexOf(',"personal":') + ',"personal":'.length, -1);
      expect(record.commitment).toBe(createHash('sha256').update(personal).digest('hex'));
      expect([record.upstream, record.tool, record.principal?.id]).toEqual([upstream, tool, principal_id]);
      expect(Buffer.byteLength(text)).toBeLessThan(1_900);
    }
    expect(new Set(rows.map(({ principal_id }) => principal_id)).size).toBeGreaterThan(1_000);
  });

  it('are counted in the roll-up', async () => {
    const { rows } = await client.query('SELECT sum(permitted + forbidden)::int AS calls FROM usage_day');
    expect(rows).toEqual([{ calls: 3_001 }]);
  });
});

/** What the service's migrations make, as far as the loader touches it. */
const TABLES = `
CREATE TABLE call_record (occurred_at timestamptz NOT NULL, record_id uuid NOT NULL, log text NOT NULL,
  sequence bigint NOT NULL, kind text NOT NULL, decision text NOT NULL, outcome text NOT NULL, refusal_code text,
  principal_id text, principal_name text, principal_email text, agent_id text, agent_name text, virtual_server text,
  upstream text, tool text, count int NOT NULL, record json NOT NULL, PRIMARY KEY (occurred_at, record_id)
) PARTITION BY RANGE (occurred_at);
CREATE TABLE usage_day (day date NOT NULL, upstream text NOT NULL, tool text NOT NULL, principal_id text NOT NULL,
  agent_id text NOT NULL, principal_name text, principal_email text, agent_name text, permitted bigint NOT NULL,
  forbidden bigint NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
  sample_at timestamptz[] NOT NULL, sample_id uuid[] NOT NULL,
  PRIMARY KEY (upstream, tool, principal_id, agent_id, day));`;
