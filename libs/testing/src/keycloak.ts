import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeycloakAdmin } from './keycloak-admin.js';
import { keycloakCacheDir, keycloakEnvironment, resolveKeycloak } from './keycloak-dist.js';
import { KEYCLOAK_ADMIN, KEYCLOAK_REALM, keycloakRealm } from './keycloak-realm.js';

/** A real Keycloak of one test, with the company's realm. */
export interface RunningKeycloak {
  /** Issuer of the realm: `http://<host>:<port>/realms/company`. */
  readonly issuer: string;
  readonly admin: KeycloakAdmin;
  stop(): Promise<void>;
}

export interface KeycloakOptions {
  /** By which name it is reached; for a browser it is another site than Warder where that has the other one. */
  readonly host?: 'localhost' | '127.0.0.1';
  /** File that takes its output; absent: thrown away. */
  readonly logFile?: string;
}

const HEAP = '-Xmx192m';
const READY_TIMEOUT_MS = 300_000;
const PROBE_EVERY_MS = 100;
const STOP_TIMEOUT_MS = 20_000;
const LINKED = ['lib', 'conf', 'providers', 'themes', 'version.txt'];
const OPENED = ['java.util', 'java.util.concurrent', 'java.security', 'java.lang'];

/**
 * Starts a real Keycloak on loopback from Maven's distribution in the cache. The first start on a machine fetches and
 * builds it and imports the realm, in one to three minutes; later ones copy the database of the first and take seconds.
 * @throws Error with one sentence when Java or Maven is missing, or Keycloak does not answer in 5 minutes
 */
export async function startKeycloak(options: KeycloakOptions = {}): Promise<RunningKeycloak> {
  const distDir = await resolveKeycloak();
  const template = templateDir();
  if (!existsSync(template)) await importRealm(distDir, template);
  const process = await KeycloakProcess.start(distDir, { ...options, template });
  const url = `http://${options.host ?? 'localhost'}:${process.port}`;
  const admin = new KeycloakAdmin(url);
  return { issuer: `${url}/realms/${KEYCLOAK_REALM}`, admin, stop: () => process.stop() };
}

/** Where the database of this very realm is kept. */
function templateDir(): string {
  const digest = createHash('sha256').update(JSON.stringify(keycloakRealm())).digest('hex');
  return join(keycloakCacheDir(), `realm-${digest.slice(0, 16)}`);
}

async function importRealm(distDir: string, template: string): Promise<void> {
  const process = await KeycloakProcess.start(distDir, { realm: keycloakRealm() });
  await process.stop(template);
}

interface Start extends KeycloakOptions {
  /** Database to begin with. */
  readonly template?: string;
  /** Realm to import. */
  readonly realm?: object;
}

class KeycloakProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly homeDir: string,
    readonly port: number,
  ) {}

  static async start(distDir: string, { template, realm, logFile }: Start): Promise<KeycloakProcess> {
    const homeDir = await mkdtemp(join(tmpdir(), 'warder-keycloak-'));
    for (const name of LINKED) await symlink(join(distDir, name), join(homeDir, name));
    await mkdir(join(homeDir, 'data/import'), { recursive: true });
    if (template !== undefined) await cp(template, join(homeDir, 'data/h2'), { recursive: true });
    if (realm !== undefined) await writeFile(join(homeDir, 'data/import/realm.json'), JSON.stringify(realm));
    const [port, managementPort] = await freePorts();
    const output = logFile === undefined ? 'ignore' : openSync(logFile, 'a');
    const words = [
      ...javaArguments(homeDir),
      'start',
      '--optimized',
      '--http-enabled=true',
      '--hostname-strict=false',
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
      `--http-management-port=${managementPort}`,
      ...(realm === undefined ? [] : ['--import-realm']),
    ];
    const env = {
      ...keycloakEnvironment(),
      KC_BOOTSTRAP_ADMIN_USERNAME: KEYCLOAK_ADMIN.name,
      KC_BOOTSTRAP_ADMIN_PASSWORD: KEYCLOAK_ADMIN.password,
    };
    const child = spawn('java', words, { env, stdio: ['ignore', output, output] });
    // Where there is no Java it ends with a code too, which is told below.
    child.once('error', () => {});
    const killWithUs = (): boolean => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    const started = new KeycloakProcess(child, homeDir, port);
    await started.untilReady().catch(async (error: unknown) => {
      await started.stop();
      throw error;
    });
    return started;
  }

  /** @param keepDatabase - folder that gets a copy of the database */
  async stop(keepDatabase?: string): Promise<void> {
    const { child, homeDir } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(killer);
    }
    if (keepDatabase !== undefined) {
      const copy = `${keepDatabase}-${process.pid}`;
      await cp(join(homeDir, 'data/h2'), copy, { recursive: true });
      // Another run may have been faster.
      await rename(copy, keepDatabase).catch(() => rm(copy, { recursive: true, force: true }));
    }
    await rm(homeDir, { recursive: true, force: true });
  }

  private async untilReady(): Promise<void> {
    const { child, port } = this;
    const stopAtMs = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < stopAtMs) {
      if (child.exitCode !== null) throw new Error(`Keycloak ended at its start with code ${child.exitCode}.`);
      const answer = await fetch(`http://127.0.0.1:${port}/realms/${KEYCLOAK_REALM}`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
    throw new Error(`Keycloak did not answer on port ${port} within ${READY_TIMEOUT_MS} ms.`);
  }
}

/** What `kc.sh` would say to Java, for a process of its own: short lived, of few threads, and with little memory. */
function javaArguments(homeDir: string): string[] {
  return [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    HEAP,
    '-Dfile.encoding=UTF-8',
    '-Duser.language=en',
    '-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
    ...OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    `-Dkc.home.dir=${homeDir}`,
    `-Djboss.server.config.dir=${homeDir}/conf`,
    '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
    '-Dpicocli.disable.closures=true',
    '-cp',
    join(homeDir, 'lib/quarkus-run.jar'),
    'io.quarkus.bootstrap.runner.QuarkusEntryPoint',
  ];
}

/** Two at a time, so that they are not the same. */
/**
 * Two ports below those that outgoing connections take theirs from (Linux: 32768 and up): a port that was free a second ago
 * would else be taken by one before Keycloak listens, which then ends with code 1.
 */
async function freePorts(): Promise<[number, number]> {
  const first = await freeLowPort();
  let second = await freeLowPort();
  while (second === first) second = await freeLowPort();
  return [first, second];
}

async function freeLowPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
