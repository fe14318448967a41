import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import { auditCheckpointTopic, auditDeadLetterTopic, auditRecordedTopic, principalStateTopic } from '@warder/contracts';
import {
  CreateAdminTree1790000000100,
  CreateOutbox1790000000000,
  type EmbeddedPostgres,
  Outbox,
  startEmbeddedPostgres,
} from '@warder/postgres';
import { DataSource, type MigrationInterface } from 'typeorm';
import { ArchiveConfig } from './archive/archive-config.js';
import { ArchiveStore } from './archive/archive.store.js';
import { ColdStore } from './archive/cold.store.js';
import { Duck } from './archive/duck.js';
import { ErasureStore } from './archive/erasure.store.js';
import { Keeping } from './archive/keeping.store.js';
import { LegalHoldStore } from './archive/legal-hold.store.js';
import { bundlePieces } from './bundle.js';
import { storeCheckpoints } from './checkpoint-ingest.js';
import { CheckpointStore } from './checkpoint.store.js';
import { CreateArchive1790000002100 } from './migrations/create-archive.js';
import { CreateAudit1790000002000 } from './migrations/create-audit.js';
import { CreateCheckpoints1790000002500 } from './migrations/create-checkpoints.js';
import { NameSubjects1790000002800 } from './migrations/name-subjects.js';
import { PartitionStore } from './partition.store.js';
import { RecordStore } from './record.store.js';
import { storeBatch } from './store-batch.js';
import { TextIndexStore } from './text-index.store.js';

const ROOT = join(import.meta.dirname, '../../..');
export const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-01T12:00:00Z');
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const OUTBOX = [CreateOutbox1790000000000, CreateAdminTree1790000000100];
const AUDIT = [
  ...OUTBOX,
  CreateAudit1790000002000,
  CreateArchive1790000002100,
  CreateCheckpoints1790000002500,
  NameSubjects1790000002800,
];

/** What the built command says of the log `admin/policy`. */
export interface Verified {
  readonly code: number | null;
  readonly records: number;
  readonly erased: number;
  /** What is said first: word and index. */
  readonly first: readonly [string, number | undefined] | undefined;
  /** Why the export is not whole. */
  readonly incomplete: readonly string[];
}

/**
 * Acts at the door of policy, from its database over the bus to the audit store, its archive and the verifier: each part
 * the real one, and a clock that is set.
 */
export class AdminEvidence {
  nowMs = START;
  readonly keys = generateKeyPairSync('ed25519');
  checkpoints!: CheckpointStore;
  cold!: ColdStore;
  duck!: Duck;
  erasures!: ErasureStore;
  /** Of the audit service. */
  source!: DataSource;
  private readonly dir = mkdtempSync(join(tmpdir(), 'warder-admin-evidence-'));
  private readonly clock = { wallMs: () => this.nowMs, monotonicMs: () => performance.now() };
  private readonly bus: Bus = createInProcessBus({ node: 'audit', log: quiet, clock: this.clock });
  private postgres!: EmbeddedPostgres;
  private policy!: DataSource;
  private keeping!: Keeping;

  /** @param ranges - how many acts each checkpoint names; one of a day each */
  async start(ranges: readonly number[]): Promise<this> {
    const built = spawnSync(process.execPath, [join(ROOT, 'tools/prepare.mjs'), 'apps/cli']);
    if (built.status !== 0) throw new Error(String(built.stderr));
    this.postgres = await startEmbeddedPostgres({ ephemeral: true });
    this.source = await this.open('audit', AUDIT);
    this.policy = await this.open('policy', OUTBOX);
    await this.openArchive();
    await this.consume();
    let n = 0;
    for (const count of ranges) {
      await this.act(n, (n += count));
      this.nowMs += DAY_MS;
    }
    return this;
  }

  async stop(): Promise<void> {
    this.duck?.close();
    await this.source?.destroy();
    await this.policy?.destroy();
    await this.bus.close();
    await this.postgres?.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** @param days - of acts, from the first one on; all that there is, where not given */
  async bundle(days?: { from: number; to: number }): Promise<string> {
    let text = '';
    const [from, to] = days
      ? [days.from, days.to].map((day) => new Date(Math.floor(START / DAY_MS + day) * DAY_MS).toISOString())
      : ['2026-10-01T00:00:00Z', '2027-01-01T00:00:00Z'];
    for await (const piece of bundlePieces(from!, to!, this.checkpoints)) text += piece.text;
    return text;
  }

  /** Runs the built command, as somebody does who has the key of policy and nothing else. */
  async verified(text?: string): Promise<Verified> {
    const { status, stdout } = this.run(text ?? (await this.bundle()), 'bundle.ndjson', '--json');
    const { logs, incomplete } = JSON.parse(stdout) as {
      incomplete: string[];
      logs: { log: string; records: number; erased: number; findings: { what: string; index?: number }[] }[];
    };
    const { records = 0, erased = 0, findings = [] } = logs.find(({ log }) => log === 'admin/policy') ?? {};
    const [found] = findings;
    return { code: status, records, erased, first: found && [found.what, found.index], incomplete };
  }

  verifiedProof(proof: string): string {
    return this.run(proof, 'proof.json', '--proof').stdout;
  }

  /** The archive's files, in the order of their days. */
  async files(): Promise<string[]> {
    const rows = await this.duck.rows(
      `SELECT file FROM glob('${join(this.dir, 'archive')}/**/*.parquet') ORDER BY file`,
    );
    return rows.map(([file]) => file as string);
  }

  /** Closes the days: they are written to the archive and leave Postgres. */
  async archiveAll(): Promise<void> {
    this.nowMs = START + 20 * DAY_MS;
    await this.keep();
  }

  keep(): Promise<void> {
    return this.keeping.run(this.nowMs);
  }

  private run(text: string, name: string, how: string): { status: number | null; stdout: string } {
    const out = mkdtempSync(join(this.dir, 'export-'));
    mkdirSync(join(out, 'public-keys'));
    const pem = this.keys.publicKey.export({ type: 'spki', format: 'pem' });
    writeFileSync(join(out, 'public-keys/policy.pub'), pem);
    writeFileSync(join(out, name), text);
    const command = [join(ROOT, 'apps/cli/dist/main.js'), 'audit', 'verify', how, join(out, name)];
    return spawnSync(process.execPath, command, { encoding: 'utf8' });
  }

  private async open(schema: string, migrations: (new () => MigrationInterface)[]): Promise<DataSource> {
    const extra = { options: `-c search_path=${schema}` };
    const source = new DataSource({ type: 'postgres', url: this.postgres.url, schema, migrations, extra });
    await source.initialize();
    await source.query(`CREATE SCHEMA ${schema}`);
    await source.runMigrations();
    return source;
  }

  private async openArchive(): Promise<void> {
    const { source, clock } = this;
    const dir = join(this.dir, 'archive');
    const config = ArchiveConfig.parse({ dir, retentionDays: 1_000, memoryMaxBytes: 134_217_728 });
    mkdirSync(dir);
    this.duck = await Duck.open(config);
    const archive = new ArchiveStore(source, this.duck, config);
    this.cold = new ColdStore(archive, this.duck);
    this.checkpoints = new CheckpointStore(source, this.cold, clock.wallMs);
    const host = { node: 'audit', bus: this.bus, clock, log: quiet };
    const outbox = new Outbox(host, { service: 'audit', url: this.postgres.url, topics: [] });
    const holds = new LegalHoldStore(source, outbox, clock.wallMs);
    this.erasures = new ErasureStore(source, outbox, holds, clock.wallMs);
    const stores = { partitions: new PartitionStore(source), textIndex: new TextIndexStore(source, source) };
    const parts = { source, ...stores, holds, erasures: this.erasures, archive, log: quiet };
    this.keeping = new Keeping({ ...parts, retentionDays: 10, archiveRetentionDays: 1_000 });
    await this.keep();
  }

  private async consume(): Promise<void> {
    const { bus, source, clock, checkpoints } = this;
    await bus.ensureTopics([auditDeadLetterTopic]);
    const records = new RecordStore(source, bus, clock.wallMs);
    await bus.batch(auditRecordedTopic, 'store', async (batch) => void (await storeBatch(batch, records)));
    await bus.batch(auditCheckpointTopic, 'store', async (batch) => {
      const refused = await storeCheckpoints(batch, {
        insert: (checkpoint, text) => checkpoints.insert(checkpoint, text),
        faultOf: (error) => records.faultOf(error),
        quarantine: (message, reason) => records.quarantine(message, reason, auditCheckpointTopic.name),
      });
      if (refused > 0) throw new Error('the service published what is no checkpoint');
    });
  }

  /** One life of the service, which signs what it did when it ends. */
  private async act(from: number, to: number): Promise<void> {
    const { bus, clock, policy } = this;
    await this.keep();
    const host = { node: 'policy-1', bus, clock, log: quiet, signingKey: this.keys.privateKey };
    const options = { service: 'policy', url: this.postgres.url, topics: [], checkpointEveryMs: 3_600_000 };
    const outbox = new Outbox(host, options);
    outbox.start();
    await outbox.drained([auditRecordedTopic]);
    for (let n = from; n < to; n++) {
      const id = n % 4 === 2 ? 'usr_gone' : 'usr_stays';
      const by = { principal: { ...principalStateTopic.example, id }, token: null, address: '10.1.2.3' };
      const action = { action: `grant.change-${n}`, by, arguments: { said: `words-of-${n}` } };
      await policy.transaction((manager) => outbox.recordAdminAction(manager, action));
    }
    await outbox.drained([auditRecordedTopic]);
    await outbox.stop();
  }
}
