import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  type AuditCheckpoint,
  auditCheckpointTopic,
  auditRecordedTopic,
  principalStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { openJournal } from '@warder/journal';
import { CompactRange, leafHashOf, makeCheckpoint } from '@warder/merkle-log';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import pg from 'pg';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditService } from './index.js';

const ROOT = join(import.meta.dirname, '../../..');
const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const WAIT = { timeout: 60_000, interval: 100 };
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearers = { auditor: issueToken(randomBytes), admin: issueToken(randomBytes) };
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const { log: _log, sequence: _sequence, commitment: _commitment, ...example } = auditRecordedTopic.example;
const recordId = (n: number): string => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;
/** Records of the three checkpoints: 0 to 4, 5 to 12, 13 to 16. */
const RANGES = [5, 8, 4];
const SIZE = 17;

interface Verified {
  readonly code: number | null;
  readonly records: number;
  readonly erased: number;
  /** What is said first: word and index. */
  readonly first: readonly [string, number | undefined] | undefined;
  /** Why the export is not whole. */
  readonly incomplete: readonly string[];
}

// What journal, bus, store, door and command line make of each other's bytes, which none of their own specs shows.
describe('the chain of evidence, from the journal to the verifier', () => {
  let dir: string;
  let database: EmbeddedPostgres;
  let client: pg.Client;
  let bus: Bus;
  let running: RunningHost;
  let origin: string;

  beforeAll(async () => {
    // As `npm run warder` does, and once: the built command is what auditors have.
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'tools/prepare.mjs'), 'apps/cli']);
    if (status !== 0) throw new Error(String(stderr));
    dir = mkdtempSync(join(tmpdir(), 'warder-chain-'));
    database = await startEmbeddedPostgres({
      dataDir: join(dir, 'postgres'),
      ephemeral: true,
      tcp: { password: 'test' },
    });
    bus = createInProcessBus({ node: 'audit', log, clock });
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    for (const [role, bearer] of Object.entries(bearers)) {
      const id = `usr_${role}`;
      const principal = { ...principalStateTopic.example, version: 1, id, email: null, groups: [] };
      await bus.publish(principalStateTopic, id, { ...principal, roles: [role as keyof typeof bearers] });
      const token = { ...tokenStateTopic.example, version: 1, id: `pat_${role}`, principalId: id, pepperKeyId: 'p1' };
      await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, expiresAtMs: Date.now() + 3_600_000 });
    }
    const config = { database: { url: database.tcpUrl }, pepper: { current: 'p1', keys: { p1: PEPPER } } };
    running = await startServiceForTest(auditService, config, { bus, clock });
    await vi.waitUntil(async () => (await get('checkpoints')).status === 200, WAIT);
    client = new pg.Client({ connectionString: database.tcpUrl, options: '-c search_path=audit' });
    await client.connect();
    await recordAll();
    await client.query('CREATE TABLE honest_record AS SELECT * FROM call_record WHERE log = $1', [origin]);
    await client.query('CREATE TABLE honest_checkpoint AS TABLE checkpoint');
  }, 180_000);
  afterEach(async () => {
    await client.query('DELETE FROM call_record WHERE log = $1', [origin]);
    await client.query('INSERT INTO call_record SELECT * FROM honest_record');
    await client.query('DELETE FROM checkpoint');
    await client.query('INSERT INTO checkpoint SELECT * FROM honest_checkpoint');
  });
  afterAll(async () => {
    await client?.end();
    await running?.stop();
    await bus?.close();
    await database?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const get = (path: string) =>
    request(running.url).get(`/admin/audit/${path}`).set('authorization', `Bearer ${bearers.auditor}`);

  /** A journal signs what there is when it closes, so each range is a life of it. */
  async function recordAll(): Promise<void> {
    let n = 0;
    for (const count of RANGES) {
      const journal = await openJournal({
        dir: join(dir, 'journal'),
        node: 'n1',
        sizeMaxBytes: 1 << 20,
        segmentBytes: 262_144,
        drain: {
          kind: 'publish',
          publish: (entries) => bus.publishRaw(auditRecordedTopic, entries),
          publishCheckpoint: (entry) => bus.publishRaw(auditCheckpointTopic, [entry]),
        },
        checkpoints: { privateKey, everyMs: 3_600_000 },
        log,
        clock,
      });
      origin = journal.log;
      for (let end = n + count; n < end; n++) await journal.append(JSON.stringify(textOf(n)));
      await journal.close();
    }
    const stored = 'SELECT count(*)::int AS count FROM call_record WHERE log = $1';
    await vi.waitFor(async () => {
      expect((await client.query<{ count: number }>(stored, [origin])).rows).toEqual([{ count: SIZE }]);
      expect((await client.query('SELECT size::int FROM checkpoint ORDER BY size')).rows).toEqual([
        { size: 5 },
        { size: 13 },
        { size: SIZE },
      ]);
    }, WAIT);
  }

  /** Every fourth record is of somebody else. */
  const textOf = (n: number): object => ({
    ...example,
    recordId: recordId(n),
    occurredAtMs: Date.now(),
    tool: `tool-${n}`,
    principal: { ...example.principal, id: n % 4 === 2 ? 'usr_gone' : 'usr_stays' },
    personal: { ...example.personal, arguments: { bytes: 9, value: { said: `words-of-${n}` } } },
  });

  async function bundle(): Promise<string[]> {
    const [from, to] = [new Date(0).toISOString(), new Date(Date.now() + 60_000).toISOString()];
    const { status, text } = await get(`bundle?from=${from}&to=${to}`).buffer(true);
    expect(status).toBe(200);
    return text.trimEnd().split('\n');
  }

  /** Runs the built command on the files, as somebody does who has the key and nothing else. */
  function verify(files: Record<string, readonly string[]>): Verified {
    const out = mkdtempSync(join(dir, 'export-'));
    mkdirSync(join(out, 'public-keys'));
    writeFileSync(join(out, 'public-keys/ingress.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    for (const [name, lines] of Object.entries(files)) writeFileSync(join(out, name), `${lines.join('\n')}\n`);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'apps/cli/dist/main.js'), 'audit', 'verify', out, '--json'],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const { logs, incomplete } = JSON.parse(stdout) as {
      incomplete: string[];
      logs: { log: string; records: number; erased: number; findings: { what: string; index?: number }[] }[];
    };
    const report = logs.find((one) => one.log === origin)!;
    const [first] = report.findings;
    return {
      code: status,
      records: report.records,
      erased: report.erased,
      first: first && [first.what, first.index],
      incomplete,
    };
  }

  const verifyStored = async (): Promise<Verified> => verify({ 'bundle.ndjson': await bundle() });

  const change = (index: number, expression: string): Promise<unknown> =>
    client.query(
      `UPDATE call_record SET record = (${expression})::json WHERE log = $1 AND (record->>'index')::int = ${index}`,
      [origin],
    );
  const renumber = (from: number, to: string, where: string): string =>
    `UPDATE call_record SET record = regexp_replace(record::text, '"index":[0-9]+', '"index":' || (${to}))::json
     WHERE log = '${origin}' AND (record->>'index')::int >= ${from} ${where}`;
  /** Another row like the one at the index, which says something else. */
  async function forgeBeside(index: number): Promise<void> {
    await client.query(
      `CREATE TEMP TABLE forged AS SELECT * FROM call_record WHERE log = $1 AND (record->>'index')::int = ${index}`,
      [origin],
    );
    await client.query(
      `UPDATE forged SET record_id = '${recordId(900)}', record = replace(record::text, '"tool":"tool-', '"tool":"forged-')::json`,
    );
    await client.query('INSERT INTO call_record SELECT * FROM forged');
    await client.query('DROP TABLE forged');
  }
  const setCheckpoint = (size: number, text: string): Promise<unknown> =>
    client.query('UPDATE checkpoint SET checkpoint = $1::json WHERE size = $2', [text, size]);
  const checkpointText = async (size: number): Promise<string> =>
    (await client.query<{ text: string }>('SELECT checkpoint::text AS text FROM checkpoint WHERE size = $1', [size]))
      .rows[0]!.text;
  const isCheckpoint = (line: string): boolean => 'note' in (JSON.parse(line) as object);
  const indexOf = (line: string): number | undefined => (JSON.parse(line) as { index?: number }).index;

  it('is proved whole where nobody touched it', async () => {
    expect(await verifyStored()).toEqual({ code: 0, records: SIZE, erased: 0, first: undefined, incomplete: [] });
  });

  it.each<[string, () => Promise<unknown>, string, number]>([
    [
      'deleted',
      () => client.query(`DELETE FROM call_record WHERE log = $1 AND (record->>'index')::int = 7`, [origin]),
      'record-removed',
      7,
    ],
    ['altered', () => change(7, `replace(record::text, 'tool-7', 'tool-8')`), 'record-altered', 7],
    [
      'altered in its personal part',
      () => change(7, `replace(record::text, 'words-of-7', 'words-of-8')`),
      'personal-altered',
      7,
    ],
    ['inserted beside one', () => forgeBeside(7), 'record-inserted', 7],
    [
      'inserted, and those behind it renumbered',
      async () => {
        await client.query(renumber(7, `(record->>'index')::int + 1`, ''));
        await forgeBeside(8);
        await client.query(renumber(8, '7', `AND record_id = '${recordId(900)}'`));
      },
      'record-inserted',
      7,
    ],
    [
      'deleted, and those behind it renumbered',
      async () => {
        await client.query(`DELETE FROM call_record WHERE log = $1 AND (record->>'index')::int = 7`, [origin]);
        await client.query(renumber(8, `(record->>'index')::int - 1`, ''));
      },
      'record-removed',
      7,
    ],
    [
      'given a place that is no number',
      () => change(7, `replace(record::text, '"index":7,', '"index":"x",')`),
      'record-removed',
      7,
    ],
    [
      'swapped with a later one',
      () => client.query(renumber(7, `16 - (record->>'index')::int`, `AND (record->>'index')::int IN (7, 9)`)),
      'record-reordered',
      7,
    ],
  ])('names the first record that was %s in the database', async (_how, tamper, what, index) => {
    await tamper();
    const { code, first } = await verifyStored();
    expect([code, first]).toEqual([1, [what, index]]);
  });

  it.each<[string, () => Promise<unknown>, string, number | undefined]>([
    ['removed', () => client.query('DELETE FROM checkpoint WHERE size = 13'), 'checkpoint-missing', 5],
    [
      'altered',
      async () => setCheckpoint(13, (await checkpointText(13)).replace('"leavesFrom":5', '"leavesFrom":6')),
      'checkpoint-altered',
      undefined,
    ],
    [
      'replaced by one of another history that another key signed',
      async () => {
        const range = new CompactRange();
        for (let n = 0; n < 13; n++) range.append(leafHashOf(Buffer.from(`forged ${n}`)));
        const leaves = Buffer.alloc(8 * 8);
        const forger = generateKeyPairSync('ed25519').privateKey;
        const forged = makeCheckpoint({ origin, range, leavesFrom: 5, leaves, atMs: Date.now() }, forger);
        await setCheckpoint(13, JSON.stringify(forged));
      },
      'checkpoint-unsigned',
      undefined,
    ],
    ['replaced by the one before it', async () => setCheckpoint(13, await checkpointText(5)), 'checkpoint-missing', 5],
  ])('names the checkpoint that was %s in the database', async (_how, tamper, what, index) => {
    await tamper();
    const { code, first } = await verifyStored();
    expect([code, first]).toEqual([1, [what, index]]);
  });

  it('is proved by what is signed, wherever two checkpoints that changed places stand', async () => {
    const [one, other] = [await checkpointText(5), await checkpointText(13)];
    await setCheckpoint(5, other);
    await setCheckpoint(13, one);
    expect(await verifyStored()).toMatchObject({ code: 0, records: SIZE, first: undefined });
  });

  it.each<[string, (lines: string[]) => Record<string, string[]>, string, number | undefined]>([
    ['a line removed', (lines) => ({ 'a.ndjson': lines.filter((line) => indexOf(line) !== 7) }), 'record-removed', 7],
    [
      'a line altered',
      (lines) => ({ 'a.ndjson': lines.map((line) => line.replace('tool-7"', 'tool-8"')) }),
      'record-altered',
      7,
    ],
    [
      'a file removed',
      (lines) => ({ 'a.ndjson': lines.filter((line) => isCheckpoint(line) || !((indexOf(line) ?? 0) >= 6)) }),
      'record-removed',
      6,
    ],
    [
      'its end cut off in a line',
      (lines) => ({ 'a.ndjson': lines.map((line) => (indexOf(line) === 2 ? line.slice(0, -20) : line)) }),
      'record-removed',
      2,
    ],
    [
      'a checkpoint removed',
      (lines) => ({
        'a.ndjson': lines.filter((line) => (JSON.parse(line) as Partial<AuditCheckpoint>).size !== 13),
      }),
      'checkpoint-missing',
      5,
    ],
  ])('names what an export lacks that had %s', async (_how, tamper, what, index) => {
    const { code, first } = verify(tamper(await bundle()));
    expect([code, first]).toEqual([1, [what, index]]);
  });

  it.each<[string, (lines: string[]) => string[], string]>([
    ['no end, at the end of a line', (lines) => lines.slice(0, 6), '1 of 1 bundles have no end'],
    ['no beginning', (lines) => lines.slice(1), '1 of 1 bundles have no beginning'],
    [
      'no last range, and the end of the whole',
      (lines) => [...lines.slice(0, -6), lines.at(-1)!],
      `ended with ${SIZE} records, and only ${SIZE - RANGES[2]!} are here`,
    ],
  ])('does not take a bundle for whole that has %s', async (_how, cut, why) => {
    const { code, incomplete } = verify({ 'a.ndjson': cut(await bundle()) });
    expect([code, incomplete[0]]).toEqual([2, expect.stringContaining(why)]);
  });

  it('takes lines in any order and any files for the export that they are', async () => {
    const lines = (await bundle()).toReversed();
    const files = { 'a.ndjson': lines.slice(0, 9), 'b.ndjson': lines.slice(9) };
    expect(verify(files)).toMatchObject({ code: 0, records: SIZE });
  });

  it('stays proved when a person is erased, whose words are nowhere any more', async () => {
    const said = async (): Promise<string[]> => (await bundle()).filter((line) => line.includes('"usr_gone"'));
    expect((await said()).filter((line) => line.includes('words-of-')).length).toBe(4);
    const asked = await request(running.url)
      .post('/admin/audit/erasures')
      .set('authorization', `Bearer ${bearers.admin}`)
      .send({ subject: 'usr_gone', reason: 'asked for it' });
    expect(asked.status).toBe(202);
    await vi.waitFor(async () => expect(await verifyStored()).toMatchObject({ erased: 4 }), WAIT);
    expect(await verifyStored()).toEqual({ code: 0, records: SIZE, erased: 4, first: undefined, incomplete: [] });
    expect((await said()).filter((line) => line.includes('words-of-'))).toEqual([]);
    const left = `SELECT count(*)::int AS count FROM call_record WHERE record::text ~ 'words-of-(2|6|10|14)"'`;
    expect((await client.query(left)).rows).toEqual([{ count: 0 }]);
    const stays = `SELECT count(*)::int AS count FROM call_record WHERE record::text ~ 'words-of-'`;
    expect((await client.query(stays)).rows).toEqual([{ count: SIZE - 4 }]);
    const proof = await get(`calls/${recordId(6)}/proof`);
    expect([proof.status, proof.body.index]).toEqual([200, 6]);
  });
});
