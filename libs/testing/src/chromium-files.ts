import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';

const run = promisify(execFile);
const PACKAGE = '@sparticuz/chromium';

/** A Chromium to start. */
export interface ChromiumFiles {
  readonly executable: string;
  /** Variables that it is started with. */
  readonly environment: Readonly<Record<string, string>>;
}

let resolved: Promise<ChromiumFiles> | undefined;

/**
 * The Chromium that `WARDER_CHROMIUM` names, or the one of the npm package, unpacked once into a folder outside the tree
 * with the libraries and fonts that it needs: nothing is installed on the machine.
 * @throws Error with one sentence where there is none for this machine
 */
export function resolveChromium(): Promise<ChromiumFiles> {
  resolved ??= find().catch((error: unknown) => {
    resolved = undefined;
    throw error;
  });
  return resolved;
}

async function find(): Promise<ChromiumFiles> {
  const given = process.env.WARDER_CHROMIUM;
  if (given !== undefined && given !== '') return { executable: given, environment: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chromium for the tests: name one in WARDER_CHROMIUM, for npm has it for Linux on x64 only.');
  }
  const home = await unpacked();
  return {
    executable: join(home, 'chromium'),
    environment: { LD_LIBRARY_PATH: join(home, 'lib'), FONTCONFIG_PATH: home },
  };
}

async function unpacked(): Promise<string> {
  const packed = packageDir(createRequire(import.meta.url).resolve(PACKAGE));
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8')) as { version: string };
  const cacheDir = process.env.WARDER_CHROMIUM_CACHE ?? join(homedir(), '.cache', 'warder', 'chromium');
  const home = join(cacheDir, version);
  if (existsSync(home)) return home;
  await mkdir(cacheDir, { recursive: true });
  const workDir = await mkdtemp(join(cacheDir, 'unpack-'));
  try {
    const from = (name: string): string => join(packed, 'bin', name);
    await inflate(from('chromium.br'), join(workDir, 'chromium'));
    for (const name of ['al2023', 'fonts']) {
      const archive = join(workDir, `${name}.tar`);
      await inflate(from(`${name}.tar.br`), archive);
      await run('tar', ['-xf', archive, '-C', workDir]);
      await rm(archive);
    }
    await writeFile(join(workDir, 'fonts.conf'), fontsAt(home));
    // Another run may have been faster; its files are as good as these.
    await rename(workDir, home).catch((error: unknown) => {
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return home;
}

/** The package's own folder, from something inside of it: the one above that has the archives. */
function packageDir(inside: string): string {
  return existsSync(join(inside, 'bin', 'chromium.br')) ? inside : packageDir(dirname(inside));
}

async function inflate(from: string, to: string): Promise<void> {
  await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));
}

/** The package's fonts alone, so that pages look the same on every machine. */
function fontsAt(home: string): string {
  const dirs = `<dir>${home}/fonts</dir><cachedir>${home}/fonts-cache</cachedir>`;
  return `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${dirs}</fontconfig>\n`;
}
