import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { locatePostgresBinaries } from './postgres-binaries.js';
import { unprivilegedUser } from './unprivileged-user.js';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) fs.rmSync(directory, { recursive: true, force: true });
});

function directory(mode: number): string {
  const created = fs.mkdtempSync(path.join(os.tmpdir(), 'warder-test-'));
  fs.chmodSync(created, mode);
  made.push(created);
  return created;
}

describe('a data directory', () => {
  it('is rid of a database that outlived its killed owner, where the system could not end it with it', async () => {
    const dataDir = directory(0o755);
    await (await startEmbeddedPostgres({ dataDir, ephemeral: true })).stop();
    const user = unprivilegedUser();
    const server = path.join(locatePostgresBinaries(user), 'bin/postgres');
    const given = ['-D', path.join(dataDir, 'db'), '-k', dataDir, '-c', 'listen_addresses='];
    const orphan = spawn(server, given, { ...user, env: { LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'] });
    for (let said = ''; !said.includes('ready to accept'); said += String((await once(orphan.stderr, 'data'))[0]));
    const ended = once(orphan, 'exit');
    fs.writeFileSync(path.join(dataDir, 'owner.json'), JSON.stringify({ pid: 999_999_999, start: '1' }));
    const database = await startEmbeddedPostgres({ dataDir, ephemeral: true });
    await ended;
    expect(database.pid).not.toBe(orphan.pid);
    await database.stop();
  });

  // Only root moves data, for only root's database runs as somebody else.
  it.runIf(process.getuid?.() === 0)('leaves nothing behind once a temporary directory is gone', async () => {
    const hidden = directory(0o700);
    const first = path.join(hidden, 'first');
    await (await startEmbeddedPostgres({ dataDir: first, ephemeral: true })).stop();
    const moved = fs.readFileSync(path.join(first, 'LOCATION'), 'utf8').trim();
    expect(fs.existsSync(path.join(moved, 'db/PG_VERSION'))).toBe(true);
    fs.rmSync(first, { recursive: true });
    const second = path.join(hidden, 'second');
    const database = await startEmbeddedPostgres({ dataDir: second, ephemeral: true });
    expect(fs.existsSync(moved)).toBe(false);
    await database.stop();
    made.push(fs.readFileSync(path.join(second, 'LOCATION'), 'utf8').trim());
  });

  it.runIf(process.getuid?.() === 0)('whose data are gone is refused, and not silently made anew', async () => {
    const dataDir = path.join(directory(0o700), 'data');
    fs.mkdirSync(dataDir);
    fs.writeFileSync(path.join(dataDir, 'LOCATION'), '/var/lib/warder/postgres-data-gone\n');
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow('where no database is');
  });
});
