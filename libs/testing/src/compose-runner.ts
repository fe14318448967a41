import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ComposeFile, type ComposeService, readComposeFile } from './compose-file.js';
import { ComposePlaces, portsOf } from './compose-places.js';
import { PostgresService } from './compose-postgres.js';
import { type RunningService, ServiceProcess } from './compose-process.js';
import { kafkaJava } from './kafka-java.js';
import { kafkaCacheDir } from './kafka-libs.js';

export interface ComposeOptions {
  /** Folder of `docker-compose.yml` and of everything that its commands name. */
  readonly root: string;
  /** Volumes and logs; made when missing. */
  readonly dataDir: string;
  /** `<service>:<port in its container>` → port on this machine; a free one where not given. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Variables beside those of the file, by service. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Only these and what they depend on; all where not given. */
  readonly only?: readonly string[];
  readonly startTimeoutMs?: number;
}

const START_MS = 120_000;
const KAFKA_HEAP = '-Xmx256m';

/** Runs a compose file as plain processes: its commands, environment, order and health checks. */
export class ComposeRunner {
  private readonly services = new Map<string, RunningService>();

  private constructor(
    private readonly file: ComposeFile,
    private readonly places: ComposePlaces,
    private readonly options: ComposeOptions,
  ) {}

  /**
   * Starts every service in the order of `depends_on`, each as soon as what it waits for is there.
   * @throws Error naming the service that ended or did not become healthy, with its last lines; the rest is stopped
   */
  static async start(options: ComposeOptions): Promise<ComposeRunner> {
    const whole = readComposeFile(join(options.root, 'docker-compose.yml'));
    const file = options.only === undefined ? whole : partOf(whole, options.only);
    const ports = await freePorts(portsOf(whole), options.ports ?? {});
    const volumes = join(options.dataDir, 'volumes');
    for (const dir of [join(options.dataDir, 'logs'), ...file.volumes.map((volume) => join(volumes, volume))]) {
      mkdirSync(dir, { recursive: true });
    }
    const runner = new ComposeRunner(file, new ComposePlaces(whole, ports, { root: options.root, volumes }), options);
    try {
      await runner.startAll();
    } catch (error) {
      await runner.stop();
      throw error;
    }
    return runner;
  }

  /** @throws Error when the file has no such service */
  service(name: string): RunningService {
    const service = this.services.get(name);
    if (service === undefined) throw new Error(`no service ${name} runs`);
    return service;
  }

  /** The directory behind a volume of the file. */
  volume(name: string): string {
    return this.places.sourceOf(name);
  }

  /** `127.0.0.1:<port>` of a service, by its port in the file. */
  address(service: string, port: number): string {
    return `127.0.0.1:${this.places.portOf(service, port)}`;
  }

  /** Stops what depends on others before those, and waits for each. */
  async stop(): Promise<void> {
    const left = new Set(this.file.services.filter(({ name }) => this.services.has(name)));
    while (left.size > 0) {
      const needed = new Set([...left].flatMap(({ dependsOn }) => Object.keys(dependsOn)));
      const free = [...left].filter(({ name }) => !needed.has(name));
      await Promise.all(free.map(({ name }) => this.service(name).stop()));
      for (const service of free) left.delete(service);
    }
  }

  private async startAll(): Promise<void> {
    const libs = this.file.services.some(isKafka) ? await kafkaEnvironment() : {};
    const timeoutMs = this.options.startTimeoutMs ?? START_MS;
    const started = new Map<string, Promise<void>>();
    const fulfilled = new Map<string, Promise<void>>();
    const begin = (service: ComposeService): Promise<void> => {
      const known = started.get(service.name);
      if (known !== undefined) return known;
      const beginning = this.startOne(service, libs, async (other, condition) => {
        const dependency = this.file.services.find(({ name }) => name === other) as ComposeService;
        await begin(dependency);
        if (condition === 'service_started') return;
        const done = fulfilled.get(other) ?? this.fulfil(dependency, timeoutMs);
        fulfilled.set(other, done);
        await done;
      });
      started.set(service.name, beginning);
      return beginning;
    };
    await Promise.all(this.file.services.map(begin));
    // What nothing waits for must be well too.
    await Promise.all(
      this.file.services.map((service) => fulfilled.get(service.name) ?? this.fulfil(service, timeoutMs)),
    );
  }

  private async startOne(
    service: ComposeService,
    libs: Record<string, string>,
    waitFor: (other: string, condition: string) => Promise<void>,
  ): Promise<void> {
    await Promise.all(Object.entries(service.dependsOn).map(([other, condition]) => waitFor(other, condition)));
    const process = this.processOf(service, libs);
    this.services.set(service.name, process);
    await process.start();
  }

  private processOf(service: ComposeService, libs: Record<string, string>): RunningService {
    const { name } = service;
    const logFile = join(this.options.dataDir, 'logs', `${name}.log`);
    // A one-shot speaks of this start only; the others' logs go on.
    if (service.isOneShot || !existsSync(logFile)) writeFileSync(logFile, '', { mode: 0o600 });
    const environment = this.places.environmentOf(service);
    if (service.image.startsWith('postgres:')) {
      const passwordFile = environment['POSTGRES_PASSWORD_FILE'] ?? '';
      const dataDir = this.places.sourceOf('postgres');
      return new PostgresService({ dataDir, port: this.places.portOf(name, 5432), passwordFile, logFile });
    }
    return new ServiceProcess({
      name,
      command: this.places.wordsOf(service.command, service),
      environment: { ...environment, ...(isKafka(service) ? libs : {}), ...this.options.environment?.[name] },
      workingDir: this.options.root,
      logFile,
      healthTest: this.places.wordsOf(service.healthTest, service),
    });
  }

  private async fulfil(service: ComposeService, timeoutMs: number): Promise<void> {
    const process = this.service(service.name);
    if (service.isOneShot && process instanceof ServiceProcess) await process.completed(timeoutMs);
    else await process.healthy(timeoutMs);
  }
}

function partOf(file: ComposeFile, names: readonly string[]): ComposeFile {
  const wanted = new Set(names);
  for (const name of wanted) {
    const service = file.services.find((candidate) => candidate.name === name);
    if (service === undefined) throw new Error(`no service ${name} in the compose file`);
    for (const other of Object.keys(service.dependsOn)) wanted.add(other);
  }
  return { ...file, services: file.services.filter(({ name }) => wanted.has(name)) };
}

/** Removes the volumes and logs of a stopped runner. */
export function removeComposeData(dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true });
}

function isKafka(service: ComposeService): boolean {
  return service.image.startsWith('apache/kafka:');
}

// Where the image has its jars, this machine has those that Maven resolved, or a container of that image after all.
async function kafkaEnvironment(): Promise<Record<string, string>> {
  const { environment, classPath, isLocal } = await kafkaJava();
  const archive = join(kafkaCacheDir(), 'kafka.jsa');
  const fast = ['-XX:TieredStopAtLevel=1', ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [])];
  return {
    ...environment,
    KAFKA_LIBS: classPath,
    KAFKA_HEAP,
    ...(isLocal && { JAVA_TOOL_OPTIONS: fast.join(' ') }),
  };
}

// All are held at once, so that no two are the same.
async function freePorts(
  names: readonly string[],
  given: Readonly<Record<string, number>>,
): Promise<Map<string, number>> {
  const ports = new Map(Object.entries(given).filter(([, port]) => port !== 0));
  const held = await Promise.all(
    names.filter((name) => !ports.has(name)).map(async (name) => ({ name, ...(await hold()) })),
  );
  for (const { name, port } of held) ports.set(name, port);
  await Promise.all(held.map((port) => port.release()));
  return ports;
}

async function hold(): Promise<{ port: number; release(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
