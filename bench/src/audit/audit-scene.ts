import { type Bus, type BusLog, createKafkaBus } from '@warder/bus';
import { auditRecordedTopic, principalStateTopic, tokenStateTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { startKafkaBroker } from '@warder/testing';
import { digestOf, issueToken } from '@warder/tokens';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, pin, type Started, startNode } from '../processes.js';

const QUIET: BusLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const TOKEN_LIFE_MS = 86_400_000;
const AUDITOR = 'usr_bench_auditor';

/** What the audit service needs beside itself, all of it real and of this machine. */
export interface AuditScene {
  readonly dir: string;
  readonly bus: Bus;
  /** A token of somebody with the role auditor. */
  readonly bearer: string;
  readonly postgres: () => EmbeddedPostgres;
  /** Ends the database and starts it on the same data; the service must not run. */
  restartPostgres(): Promise<void>;
  /** Gives Postgres, with all that it starts from now on, these CPUs: `1` or `0,1`. */
  pinPostgres(cpus: string): void;
  startService(options: ServiceOptions): Promise<AuditService>;
  stop(): Promise<void>;
}

/** How the service is started. */
export interface ServiceOptions {
  readonly cpu: number;
  /** Keys of its configuration beside those of the scene. */
  readonly config?: object;
  /** Options of Node itself, for a profile. */
  readonly nodeArgs?: readonly string[];
}

export interface AuditService extends Started {
  readonly url: string;
}

/** Starts a broker and a database, and publishes the state of one auditor. Data lie under `parent`. */
export async function setAuditScene(parent = tmpdir()): Promise<AuditScene> {
  const dir = await mkdtemp(join(parent, 'warder-bench-audit-'));
  // The database runs as another user where we are root, and must be able to pass through.
  await chmod(dir, 0o755);
  const closers: (() => Promise<void>)[] = [() => rm(dir, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const broker = await startKafkaBroker({ dataDir: join(dir, 'kafka') });
    closers.push(() => broker.stop());
    const dataDir = join(dir, 'postgres');
    let postgres = await startEmbeddedPostgres({ dataDir });
    closers.push(() => postgres.stop());
    const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
    const bus = createKafkaBus({ node: 'bench', service: 'identity', brokers: broker.brokers, log: QUIET, clock });
    closers.push(() => bus.close());
    const pepper = randomBytes(32).toString('hex');
    const bearer = await feedAuditor(bus, pepper);
    await bus.ensureTopics([auditRecordedTopic]);
    return {
      dir,
      bus,
      bearer,
      postgres: () => postgres,
      restartPostgres: async () => {
        await postgres.stop();
        postgres = await startEmbeddedPostgres({ dataDir });
      },
      pinPostgres: (cpus) => pin(postgres.pid, cpus),
      startService: async (options) => {
        const base = {
          bus: { kind: 'kafka', brokers: broker.brokers },
          database: { url: postgres.url },
          pepper: { current: 'bench', keys: { bench: pepper } },
        };
        const service = await startService(dir, { ...base, ...options.config }, options);
        closers.push(service.stop);
        return service;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Says what identity would say of one auditor, and goes on answering for it until the bus is closed. */
async function feedAuditor(bus: Bus, pepper: string): Promise<string> {
  await bus.ensureTopics([principalStateTopic, tokenStateTopic]);
  const bearer = issueToken(randomBytes);
  await bus.publish(principalStateTopic, AUDITOR, {
    version: 1,
    status: 'active',
    id: AUDITOR,
    kind: 'human',
    name: 'Bench Auditor',
    email: 'auditor@example.com',
    groups: [],
    roles: ['auditor'],
  });
  await bus.publish(tokenStateTopic, digestOf(bearer, pepper), {
    version: 1,
    status: 'active',
    id: 'pat_bench_auditor',
    name: 'laptop',
    principalId: AUDITOR,
    pepperKeyId: 'bench',
    createdAtMs: Date.now(),
    expiresAtMs: Date.now() + TOKEN_LIFE_MS,
    scopes: { tools: null },
  });
  for (const topic of [principalStateTopic, tokenStateTopic]) await bus.own(topic);
  return bearer;
}

/** What docker-compose.yml gives this process. */
const NODE_ARGS = ['--max-semi-space-size=64'];

/** Starts the audit process as the cluster does, by its own main file, and waits until `/readyz` says so. */
async function startService(dir: string, config: object, options: ServiceOptions): Promise<AuditService> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = join(dir, `audit-${port}.yaml`);
  const whole = { node: 'audit-1', listen: { host: '127.0.0.1', port }, log: { level: 'warn' }, ...config };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(whole), { mode: 0o600 });
  const main = fileURLToPath(new URL('../../../apps/audit/dist/main.js', import.meta.url));
  const args = [...NODE_ARGS, ...(options.nodeArgs ?? []), main, '--config', file];
  const started = await startNode({ args, cpu: options.cpu }, () => isReady(url));
  return { ...started, url };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** Records that the process stored since its start. */
export async function storedBy(service: AuditService): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(/^warder_audit_records_total\{[^}]*became="stored"[^}]*\} (\S+)$/m.exec(text)?.[1] ?? 0);
}
