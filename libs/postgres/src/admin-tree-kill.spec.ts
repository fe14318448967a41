import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bus, RawEntry } from '@warder/bus';
import { type AuditCheckpoint, auditCheckpointTopic, type AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { CompactRange, readCheckpoint, recordLeafOf } from '@warder/merkle-log';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CreateAdminTree1790000000100 } from './admin-tree-tables.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { openDatabase } from './open-database.js';
import { CreateOutbox1790000000000 } from './outbox-tables.js';
import { Outbox } from './outbox.js';

const ROUNDS = 10;
const SERVICE = 'policy';
const package_ = fileURLToPath(new URL('..', import.meta.url));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const quiet = { warn() {} };
const MIGRATIONS = [CreateOutbox1790000000000, CreateAdminTree1790000000100];
let dir: string;
let database: EmbeddedPostgres;

/**
 * A service whose administrators do not rest: it acts, publishes and signs as fast as it can until it is killed. All that
 * it published stands in the ledger before it is told so, and each act once it is committed.
 */
const ACTOR = `
import { createPrivateKey, randomUUID } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
const [built, ledgerPath, keyPath, url, seed] = process.argv.slice(2);
let state = Number(seed);
const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
const { Outbox } = await import(built);
const { DataSource } = createRequire(built)('typeorm');
const ledger = openSync(ledgerPath, 'a');
const note = (text) => writeSync(ledger, '\\n' + text + '\\n');
const pause = () => new Promise((resolve) => setTimeout(resolve, random() * 4));
const bus = { async publishRaw(topic, entries) {
  for (const { value } of entries) note(value.toString());
  await pause();
  if (random() < 0.15) throw new Error('away');
} };
const host = { node: 'n', bus, clock: { wallMs: () => Date.now() }, log: { warn() {} }, signingKey: createPrivateKey(readFileSync(keyPath)) };
const outbox = new Outbox(host, { service: '${SERVICE}', url, topics: [], checkpointEveryMs: 10 });
const source = new DataSource({ type: 'postgres', url, schema: '${SERVICE}', extra: { options: '-c search_path=${SERVICE}' } });
await source.initialize();
outbox.start();
const by = { principal: null, token: null, address: '' };
async function administrator() {
  for (;;) {
    const id = randomUUID();
    const act = source.transaction(async (manager) => {
      await outbox.recordAdminAction(manager, { action: 'x.change', by, arguments: { id, padding: 'p'.repeat(random() * 500 | 0) } });
      if (random() < 0.2) throw new Error('changed my mind');
    });
    await act.then(() => note(JSON.stringify({ committed: id })), () => note(JSON.stringify({ rolledBack: id })));
  }
}
console.log('ready');
await Promise.all(Array.from({ length: 4 }, administrator));
`;

beforeAll(async () => {
  execFileSync(join(package_, '../../node_modules/.bin/tsc'), ['-b', package_], { stdio: 'inherit' });
  dir = mkdtempSync(join(tmpdir(), 'warder-admin-kill-'));
  writeFileSync(join(dir, 'actor.mjs'), ACTOR);
  writeFileSync(join(dir, 'ledger'), '');
  writeFileSync(join(dir, 'key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  database = await startEmbeddedPostgres({ ephemeral: true });
}, 240_000);
afterAll(async () => {
  await database?.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function killedActor({ afterMs, seed }: { afterMs: number; seed: number }): Promise<void> {
  const paths = [join(package_, 'dist', 'index.js'), join(dir, 'ledger'), join(dir, 'key')];
  const child = spawn(process.execPath, [join(dir, 'actor.mjs'), ...paths, database.url, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  await Promise.race([once(child.stdout, 'data'), ended]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
}

/** What is left is published by a process that is not killed. */
async function publishTheRest(published: string[]): Promise<void> {
  const bus = {
    publishRaw: async (_topic: unknown, entries: readonly RawEntry[]) =>
      void published.push(...entries.map(({ value }) => value.toString())),
  } as unknown as Bus;
  const host = { node: 'n', bus, clock: { wallMs: () => Date.now() }, log: quiet, signingKey: privateKey };
  const outbox = new Outbox(host, { service: SERVICE, url: database.url, topics: [], checkpointEveryMs: 3_600_000 });
  outbox.start();
  await outbox.drained([auditRecordedTopic, auditCheckpointTopic]);
  await outbox.stop();
}

async function migrate(): Promise<DataSource> {
  const options = {
    type: 'postgres',
    url: database.url,
    schema: SERVICE,
    migrations: MIGRATIONS,
    extra: { options: `-c search_path=${SERVICE}` },
  } as const;
  return openDatabase(new DataSource(options), SERVICE, 10_000);
}

it('has one tree without a gap and nothing twice, wherever its service is killed between commit and publication', async () => {
  const seed = Number(process.env.WARDER_SEED ?? randomInt(2 ** 31));
  console.log(`admin tree kill: WARDER_SEED=${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const source = await migrate();
  for (let round = 0; round < ROUNDS; round++) {
    // Sometimes two processes of the service: the second one publishes once the first one is gone.
    const life = () => ({ afterMs: 20 + random(900), seed: random(2 ** 31) });
    const lives = [life(), ...(random(2) === 0 ? [life()] : [])];
    await Promise.all(lives.map(killedActor));
  }
  // A write of the ledger can be cut by the kill: nobody was told that it arrived.
  const lines = readFileSync(join(dir, 'ledger'), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  const told = (what: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`{"${what}":`) ? Object.values(JSON.parse(line) as object) : []));
  const published = lines.filter((line) => !/^\{"(committed|rolledBack)":/.test(line));
  await publishTheRest(published);
  const left =
    'SELECT (SELECT count(*) FROM outbox)::int AS outbox, (SELECT count(*) FROM admin_tree_leaf)::int AS leaves';
  expect(await source.query(left)).toEqual([{ outbox: 0, leaves: 0 }]);
  await source.destroy();

  const records = new Map<number, string>();
  const checkpoints = new Map<number, string>();
  const contradictions: string[] = [];
  for (const text of published) {
    const value = JSON.parse(text) as AuditCheckpoint & AuditRecord;
    const [all, place] = value.note === undefined ? [records, value.index!] : [checkpoints, value.size];
    // What may have arrived is sent again as it was, and is stored once by its id or its bytes.
    if ((all.get(place) ?? text) !== text) contradictions.push(text);
    all.set(place, text);
  }
  expect(contradictions).toEqual([]);
  console.log(
    `admin tree kill: ${records.size} records, ${checkpoints.size} checkpoints, ${published.length} messages`,
  );

  const inOrder = Array.from({ length: records.size }, (_, index) => records.get(index)!);
  const acts = inOrder.map((text) => JSON.parse(text) as AuditRecord);
  expect(acts.map(({ sequence }) => sequence)).toEqual(inOrder.map((_, index) => index + 1));
  expect(new Set(acts.map(({ recordId }) => recordId)).size).toBe(acts.length);
  const ids = acts.map(({ personal }) => (personal!.arguments as { value: { id: string } }).value.id);
  const known = new Set(ids);
  expect(known.size).toBe(acts.length);
  expect(told('committed').filter((id) => !known.has(id))).toEqual([]);
  expect(told('rolledBack').filter((id) => known.has(id))).toEqual([]);
  expect(told('committed').length).toBeGreaterThan(ROUNDS);

  const range = new CompactRange();
  let leavesFrom = 0;
  for (const text of inOrder) {
    range.append(recordLeafOf(Buffer.from(text)));
    const checkpoint = checkpoints.get(range.size);
    if (checkpoint === undefined) continue;
    const head = readCheckpoint(JSON.parse(checkpoint) as AuditCheckpoint);
    if ('fault' in head) throw new Error(head.fault);
    expect([head.leavesFrom, head.isSignedBy(publicKey)]).toEqual([leavesFrom, true]);
    expect(head.root).toEqual(range.root());
    checkpoints.delete(range.size);
    leavesFrom = range.size;
  }
  expect([leavesFrom, checkpoints.size]).toEqual([records.size, 0]);
}, 240_000);
