import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const FETCH_TIMEOUT_MS = 300_000;
// Each of the two wants to be the machine's only log daemon, so they are asked for apart.
const RECEIVERS = [['rsyslog', 'rsyslog-openssl', 'rsyslog-relp', 'rsyslog-kafka'], ['syslog-ng-core']];

/** Folder outside the tree that holds the unpacked receivers between runs. */
export function siemCacheDir(): string {
  return process.env.WARDER_SIEM_CACHE ?? join(homedir(), '.cache', 'warder', 'siem');
}

/**
 * Fetches Debian's rsyslog and syslog-ng with what they need, and unpacks them, once. Nothing is installed: the packages
 * are read by the programs of this folder only.
 * @returns the folder under which they lie as they would under `/`
 * @throws Error with one sentence when they cannot be had
 */
export async function resolveSiemReceivers(): Promise<string> {
  const cacheDir = siemCacheDir();
  const root = join(cacheDir, 'root');
  if (existsSync(root)) return root;
  await mkdir(cacheDir, { recursive: true });
  const workDir = await mkdtemp(join(cacheDir, 'fetch-'));
  // So that apt's own user may write here where this runs as root.
  await chmod(workDir, 0o755);
  try {
    const packages = (await Promise.all(RECEIVERS.map(neededFor))).flat();
    await run('apt-get', ['download', ...new Set(packages)], { cwd: workDir, timeout: FETCH_TIMEOUT_MS });
    const unpacked = join(workDir, 'root');
    for (const file of await readdir(workDir)) {
      if (file.endsWith('.deb')) await run('dpkg', ['-x', join(workDir, file), unpacked]);
    }
    // Another run may have been faster; its packages are as good as these.
    await rename(unpacked, root).catch((error: unknown) => {
      if (!existsSync(root)) throw error;
    });
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(
      `No syslog receivers for the tests: they are Debian's packages rsyslog and syslog-ng-core, which apt-get could not download (${cause}).`,
      { cause: error },
    );
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return root;
}

/** The packages and those of their dependencies that this machine lacks. */
async function neededFor(packages: readonly string[]): Promise<string[]> {
  const simulation = ['install', '--simulate', '--reinstall', '--no-install-recommends', ...packages];
  const { stdout } = await run('apt-get', simulation, { timeout: FETCH_TIMEOUT_MS, maxBuffer: 16_777_216 });
  return [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name!);
}
