import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { processStart } from './process-identity.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function directory(parent = os.tmpdir(), mode = 0o755): string {
  const made = fs.mkdtempSync(path.join(parent, 'warder-test-'));
  fs.chmodSync(made, mode);
  cleanUps.push(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function started(options: Parameters<typeof startEmbeddedPostgres>[0]) {
  const database = await startEmbeddedPostgres(options);
  cleanUps.push(() => database.stop());
  return database;
}

/** A process of its own that starts the database on the directory and says its url. */
async function startedElsewhere(dataDir: string): Promise<{ child: ChildProcess; url: string; pid: number }> {
  const source = fileURLToPath(new URL('./embedded-postgres.ts', import.meta.url));
  const script = `const { runnerImport } = await import('vite');
    const { startEmbeddedPostgres } = (await runnerImport(${JSON.stringify(source)}, { logLevel: 'error' })).module;
    const { url, pid } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    console.log(JSON.stringify({ url, pid })); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUps.push(() => child.kill('SIGKILL'));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')));
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  return { child, ...(JSON.parse(line) as { url: string; pid: number }) };
}

describe('the embedded database', () => {
  it('keeps its data from one start to the next, with fsync on', async () => {
    const dataDir = directory();
    const first = await startEmbeddedPostgres({ dataDir });
    await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    expect(await ask(first.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    await first.stop();
    expect(processStart(first.pid)).toBeUndefined();
    const second = await started({ dataDir });
    expect(await ask(second.url, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
  });

  it('listens on no network unless told to, and then asks for a password', async () => {
    const local = await started({ ephemeral: true });
    expect(local.tcpUrl).toBeUndefined();
    expect(await ask(local.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
    const open = await started({ ephemeral: true, tcp: { password: "it's" } });
    expect(await ask(open.tcpUrl!, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(ask(open.tcpUrl!.replace('it', 'at'), 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('refuses a directory that another database of ours holds, in one sentence', async () => {
    const dataDir = directory();
    await started({ dataDir });
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
      new RegExp(`^the data directory .+ is in use by process ${process.pid}$`),
    );
  });

  it('refuses a data directory that is a file, in one sentence', async () => {
    const file = path.join(directory(), 'file');
    fs.writeFileSync(file, '');
    await expect(startEmbeddedPostgres({ dataDir: file })).rejects.toThrow(
      `cannot write to the data directory ${file}`,
    );
  });

  it('starts again after its process was killed, with what was committed', async () => {
    const dataDir = directory();
    const first = await startedElsewhere(dataDir);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    first.child.kill('SIGKILL');
    const second = await started({ dataDir });
    expect(processStart(first.pid)).toBeUndefined();
    expect(await ask(second.url, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
  });

  it('has its socket in a data directory that is short enough, so that a killed process leaves nothing elsewhere', async () => {
    const dataDir = directory();
    const { child, url } = await startedElsewhere(dataDir);
    child.kill('SIGKILL');
    const { url: again } = await started({ dataDir });
    const socketOf = (text: string) => new URL(text).searchParams.get('host');
    expect(socketOf(url)).toBe(path.join(fs.realpathSync(dataDir), 'socket'));
    expect(socketOf(again)).toBe(socketOf(url));
    expect(await ask(again, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts with a data directory too long for a socket, and under a directory that is private to root', async () => {
    const hidden = directory(os.tmpdir(), 0o700);
    const dataDir = path.join(hidden, 'd'.repeat(120));
    const first = await startEmbeddedPostgres({ dataDir });
    await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    await first.stop();
    const second = await started({ dataDir });
    expect(await ask(second.url, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
    const location = path.join(dataDir, 'LOCATION');
    if (fs.existsSync(location)) {
      const moved = fs.readFileSync(location, 'utf8').trim();
      cleanUps.unshift(() => fs.rmSync(moved, { recursive: true, force: true }));
    }
  });

  it('starts again in the same process after the database was killed, with what was committed', async () => {
    const dataDir = directory();
    const first = await new Promise<EmbeddedPostgres>((resolve, reject) => {
      const database = startEmbeddedPostgres({ dataDir, onExit: () => void database.then(resolve, reject) });
      database.then(async ({ url, pid }) => {
        await ask(url, 'CREATE TABLE kept AS SELECT 7 AS seven');
        process.kill(pid, 'SIGKILL');
      }, reject);
    });
    const second = await started({ dataDir });
    await first.stop();
    expect(await ask(second.url, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow('in use by process');
  });

  it('tells when the database ends without having been stopped', async () => {
    const lastWords = await new Promise<string>((resolve, reject) => {
      started({ ephemeral: true, onExit: resolve }).then(({ pid }) => process.kill(pid, 'SIGQUIT'), reject);
    });
    expect(lastWords).toContain('shutdown');
  });
});
