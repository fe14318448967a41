import { createInProcessBus, type Bus } from '@warder/bus';
import {
  type AuditRecord,
  auditRecordedTopic,
  type PrincipalState,
  principalStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { createLogger } from '@warder/telemetry';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { openDatabase } from './open-database.js';
import { CreateAdminTree1790000000100 } from './admin-tree-tables.js';
import { CreateOutbox1790000000000 } from './outbox-tables.js';
import { Outbox } from './outbox.js';

const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const ana: PrincipalState = { ...principalStateTopic.example, id: 'usr_ana', version: 1 };

let database: EmbeddedPostgres;
let schema = 'outbox0';
let source: DataSource;
let bus: Bus;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await startEmbeddedPostgres({ ephemeral: true });
});
afterAll(() => database.stop());
beforeEach(async () => {
  schema = `outbox${Number(schema.slice(6)) + 1}`;
  bus = createInProcessBus({ node: 'n1', log, clock });
  source = await openDatabase(
    new DataSource({
      type: 'postgres',
      url: database.url,
      schema,
      migrations: [CreateOutbox1790000000000, CreateAdminTree1790000000100],
      extra: { options: `-c search_path=${schema}` },
    }),
    schema,
    5_000,
  );
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await source.destroy();
  await bus.close();
});

function outboxOn(target: Bus, isStarted = true): Outbox {
  const options = { service: schema, url: database.url, topics: [principalStateTopic, tokenStateTopic] };
  const outbox = new Outbox({ node: 'n1', bus: target, clock, log }, options);
  stops.push(() => outbox.stop());
  if (isStarted) outbox.start();
  return outbox;
}

function enqueue(outbox: Outbox, state: PrincipalState): Promise<void> {
  return source.transaction((manager) => outbox.enqueue(manager, principalStateTopic, state.id, state));
}

async function versionsOn(target: Bus): Promise<number[]> {
  const versions: number[] = [];
  await target.watch(principalStateTopic, 'beginning', ({ value }) => versions.push(value.version));
  return versions;
}

describe('the outbox', () => {
  it('publishes what was committed, in order, and nothing of what was rolled back', async () => {
    const outbox = outboxOn(bus);
    const versions = await versionsOn(bus);
    for (const version of [1, 2, 3]) await enqueue(outbox, { ...ana, version });
    const rolledBack = source.transaction(async (manager) => {
      await outbox.enqueue(manager, principalStateTopic, ana.id, { ...ana, version: 4 });
      throw new Error('changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('changed my mind');
    await enqueue(outbox, { ...ana, version: 5 });
    await outbox.drained();
    expect(versions).toEqual([1, 2, 3, 5]);
    expect(await source.query('SELECT count(*)::int AS rows FROM outbox')).toEqual([{ rows: 0 }]);
  });

  it('publishes within the poll interval of a commit, without being asked', async () => {
    const outbox = outboxOn(bus);
    await outbox.drained();
    const arrived = new Promise((resolve) => void bus.watch(principalStateTopic, 'end', resolve));
    const startMs = performance.now();
    await enqueue(outbox, ana);
    await arrived;
    expect(performance.now() - startMs).toBeLessThan(500);
  });

  it('keeps what was committed before a crash for the next start', async () => {
    const crashed = outboxOn(bus, false);
    await enqueue(crashed, { ...ana, version: 7 });
    const versions = await versionsOn(bus);
    const next = outboxOn(bus);
    await next.drained();
    expect(versions).toEqual([7]);
  });

  it('goes on after its connection and its database were lost', async () => {
    const outbox = outboxOn(bus);
    await outbox.drained();
    const versions = await versionsOn(bus);
    await source.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'warder-${schema}-outbox'`);
    await enqueue(outbox, { ...ana, version: 2 });
    await outbox.drained();
    expect(versions).toEqual([2]);
  });

  it('has one publisher among the processes of a service, and another one when it ends', async () => {
    const first = outboxOn(bus);
    await first.drained();
    const other = createInProcessBus({ node: 'n2', log, clock });
    stops.push(() => other.close());
    const second = outboxOn(other);
    const [here, there] = [await versionsOn(bus), await versionsOn(other)];
    await enqueue(second, { ...ana, version: 2 });
    await first.drained();
    await first.stop();
    await enqueue(second, { ...ana, version: 3 });
    await second.drained();
    expect([here, there]).toEqual([[2], [3]]);
  });

  it('publishes revocations while nobody takes records, and numbers the records of changes without a gap', async () => {
    const outbox = outboxOn(bus);
    const by = { principal: ana, token: null, address: '127.0.0.1' };
    const change = (version: number, isCommitted: boolean): Promise<void> =>
      source.transaction(async (manager) => {
        await outbox.enqueue(manager, principalStateTopic, ana.id, { ...ana, version });
        await outbox.recordAdminAction(manager, { action: 'principal.change', by, arguments: { version } });
        if (!isCommitted) throw new Error('rolled back');
      });
    await change(1, true);
    await change(2, false).catch(() => {});
    await change(3, true);
    await outbox.drained();
    const records: AuditRecord[] = [];
    await bus.subscribe(auditRecordedTopic, 'audit', async ({ value }) => void records.push(value));
    await outbox.drained([auditRecordedTopic]);
    expect(
      records.map(({ log: name, sequence, method, personal }) => [name, sequence, method, personal?.arguments]),
    ).toEqual([
      [`admin/${schema}`, 1, `admin/${schema}/principal.change`, { bytes: 13, value: { version: 1 } }],
      [`admin/${schema}`, 2, `admin/${schema}/principal.change`, { bytes: 13, value: { version: 3 } }],
    ]);
  });

  it('refuses a topic that is not its own and a message that the schema refuses', async () => {
    const outbox = outboxOn(bus);
    const foreign = { ...principalStateTopic, name: 'warder.other.state.v1' };
    await expect(outbox.enqueue(source.manager, foreign, 'k', ana)).rejects.toThrow('publishes nothing on');
    const wrong = { ...ana, version: 0 };
    await expect(outbox.enqueue(source.manager, principalStateTopic, 'k', wrong)).rejects.toThrow('version');
  });
});
