import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type KafkaJava, kafkaJava } from './kafka-java.js';
import { kafkaCacheDir } from './kafka-libs.js';
import { type KafkaPlaces, kafkaProperties, type KafkaSasl, scramArguments } from './kafka-settings.js';

const run = promisify(execFile);

/** How a test broker is started. */
export interface KafkaBrokerOptions {
  /** Kept after `stop`; absent: a temporary folder that goes with the broker. */
  dataDir?: string;
  port?: number;
  /** Port that the broker tells its clients, where they reach it through a proxy; default its own. */
  advertisedPort?: number;
  sasl?: KafkaSasl;
  /** File that takes the broker's output; absent: thrown away. */
  logFile?: string;
}

/** A real Apache Kafka broker of one test. */
export interface KafkaBroker {
  readonly brokers: string[];
  readonly dataDir: string;
  /** Ends the process at once, as a crash would; the data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, after `kill`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const HEAP = '-Xmx256m';
const READY_TIMEOUT_MS = 60_000;
const PROBE_EVERY_MS = 40;
const PROBE_TIMEOUT_MS = 1_500;
const STOP_TIMEOUT_MS = 20_000;
const ARCHIVE_NAME = 'kafka.jsa';
const CLUSTER_ID = 'AAAAAAAAQACAAAAAAAAAAA';
const LOG4J =
  '<Configuration><Appenders><Console name="C"><PatternLayout pattern="%d %p %c{1} %m%n%ex"/></Console></Appenders>' +
  '<Loggers><Root level="WARN"><AppenderRef ref="C"/></Root></Loggers></Configuration>';

/**
 * Starts a real broker on loopback: KRaft, one node, from the jars in the cache.
 * @throws Error with one sentence when Java or the jars cannot be had, or the broker does not answer in 60 s
 */
export async function startKafkaBroker(options: KafkaBrokerOptions = {}): Promise<KafkaBroker> {
  const homeDir = await mkdtemp(join(tmpdir(), 'warder-kafka-'));
  const dataDir = options.dataDir ?? join(homeDir, 'data');
  const port = options.port ?? (await freePort());
  const places: KafkaPlaces = {
    dataDir,
    port,
    controllerPort: await freePort(),
    advertisedPort: options.advertisedPort ?? port,
  };
  const java = await kafkaJava();
  const env = { ...process.env, ...java.environment, KAFKA_DATA: dataDir };
  const words = await javaArguments(homeDir, java);
  const settingsFile = join(homeDir, 'server.properties');
  await writeFile(settingsFile, kafkaProperties(places, options.sasl), { mode: 0o600 });
  if (!existsSync(join(dataDir, 'meta.properties'))) {
    const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', settingsFile];
    const formatWords = words.filter((word) => !word.startsWith('-XX:ArchiveClassesAtExit'));
    await run('java', [...formatWords, ...format, ...scramArguments(options.sasl)], { env });
  }
  const output = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a');
  const launch = async (): Promise<ChildProcess> => {
    const child = spawn('java', [...words, 'kafka.Kafka', settingsFile], { env, stdio: ['ignore', output, output] });
    const killWithUs = (): boolean => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    await untilReady(places.port, child);
    return child;
  };
  let child = await launch();
  return {
    brokers: [`127.0.0.1:${places.port}`],
    dataDir,
    kill: async () => {
      await end(child, 'SIGKILL');
    },
    restart: async () => {
      child = await launch();
    },
    stop: async () => {
      if (await end(child, 'SIGTERM')) await keepArchive(homeDir);
      await rm(homeDir, { recursive: true, force: true });
    },
  };
}

/** Java's options and class path. */
async function javaArguments(homeDir: string, { classPath, isLocal }: KafkaJava): Promise<string[]> {
  const logSettings = join(homeDir, 'log4j2.xml');
  await writeFile(logSettings, LOG4J);
  return [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...(isLocal ? archiveOptions(homeDir) : []),
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=file:${logSettings}`,
    HEAP,
    '-cp',
    classPath,
  ];
}

/**
 * The class-data archive cuts the start to about a second; the first broker writes it at its end, beside its own files,
 * for a broker that is killed meanwhile would leave half of one.
 */
function archiveOptions(homeDir: string): string[] {
  const archive = archiveFile();
  if (existsSync(archive)) return [`-XX:SharedArchiveFile=${archive}`];
  return [`-XX:ArchiveClassesAtExit=${join(homeDir, ARCHIVE_NAME)}`];
}

function archiveFile(): string {
  return join(kafkaCacheDir(), ARCHIVE_NAME);
}

async function keepArchive(homeDir: string): Promise<void> {
  const written = join(homeDir, ARCHIVE_NAME);
  if (!existsSync(written) || existsSync(archiveFile())) return;
  // The cache may lie on another file system, where a rename is refused; and another run must not see half a copy.
  const copy = join(kafkaCacheDir(), basename(homeDir) + ARCHIVE_NAME);
  await copyFile(written, copy);
  await rename(copy, archiveFile());
}

/** Whether the process ended by itself after the signal. */
async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return false;
  const exited = once(child, 'exit');
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(killer);
  return child.signalCode !== 'SIGKILL';
}

async function untilReady(port: number, child: ChildProcess): Promise<void> {
  const stopAtMs = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < stopAtMs) {
    if (child.exitCode !== null) throw new Error(`The Kafka broker ended at its start with code ${child.exitCode}.`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  child.kill('SIGKILL');
  throw new Error(`The Kafka broker did not answer on port ${port} within ${READY_TIMEOUT_MS} ms.`);
}

/** Whether an ApiVersions request is answered: the port alone opens earlier. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => resolve(false));
    socket.on('connect', () => socket.write(Buffer.from([0, 0, 0, 11, 0, 18, 0, 0, 0, 0, 0, 7, 0, 1, 0x77])));
    socket.on('data', () => finish(true));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
