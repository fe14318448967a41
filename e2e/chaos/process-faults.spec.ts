import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ProcessFaults } from './process-faults.js';

const SCRIPT = `
import { closeSync, fdatasync, fdatasyncSync, openSync, write, writeSync } from 'node:fs';
import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
const [journal, other] = process.argv.slice(1);
const codeOf = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
const later = (act) => new Promise((resolve) => act((error) => resolve(error?.code ?? 'done')));
const told = {};
for (const [name, dir] of [['journal', journal], ['other', other]]) {
  const fd = openSync(dir + '/there', 'a+');
  told[name] = [
    codeOf(() => writeSync(fd, 'x')), codeOf(() => fs.writeSync(fd, 'x')), codeOf(() => fdatasyncSync(fd)),
    await later((done) => write(fd, Buffer.from('x'), 0, 1, 0, done)), await later((done) => fdatasync(fd, done)),
    codeOf(() => closeSync(openSync(dir + '/new', 'w'))),
    await open(dir + '/newer', 'w').then((file) => file.close().then(() => 'done'), (error) => error.code),
  ];
}
told.clock = [Date.now(), new Date().getTime(), new Date(5).getTime(), new Date() instanceof Date];
process.stdout.write(JSON.stringify(told));
`;
interface Told {
  readonly journal: string[];
  readonly other: string[];
  readonly clock: [number, number, number, boolean];
}
const DONE = Array.from({ length: 7 }, () => 'done');

describe.skipIf(process.platform !== 'linux')('faults in a process', () => {
  const dir = mkdtempSync(join(tmpdir(), 'warder-faults-'));
  const [journal, other] = [join(dir, 'journal'), join(dir, 'other')];
  mkdirSync(journal);
  mkdirSync(other);
  const faults = new ProcessFaults(join(dir, 'control'), journal);
  afterAll(() => rmSync(dir, { recursive: true }));

  function run(): Told {
    const args = ['--input-type=module', '--eval', SCRIPT, journal, other];
    const ran = spawnSync(process.execPath, args, { env: faults.environment, encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    return JSON.parse(ran.stdout) as Told;
  }

  it('are none until they are told', () => {
    const { journal: of, other: rest, clock } = run();
    expect([of, rest, clock.slice(2)]).toEqual([DONE, DONE, [5, true]]);
    expect(Math.abs(clock[0] - Date.now())).toBeLessThan(60_000);
    expect(faults.failed).toBe(0);
  });

  it('reach every way by which the journal writes and syncs, and no other file', () => {
    faults.set({ percent: 100, on: 'both' });
    const all = run();
    expect(all.journal).toEqual(['EIO', 'EIO', 'EIO', 'EIO', 'EIO', 'done', 'done']);
    expect(all.other).toEqual(DONE);
    expect(faults.failed).toBe(5);
    faults.set({ on: 'sync' });
    expect(run().journal).toEqual(['done', 'done', 'EIO', 'done', 'EIO', 'done', 'done']);
    faults.set({ percent: 0, isFull: true });
    expect(run().journal).toEqual(['done', 'done', 'done', 'done', 'done', 'ENOSPC', 'ENOSPC']);
    faults.set({ isFull: false });
  });

  it('step the clock back, and leave a given time as it is', () => {
    faults.set({ offsetMs: -7_200_000 });
    const { clock } = run();
    for (const read of clock.slice(0, 2)) {
      expect(Math.abs(Date.now() - 7_200_000 - Number(read))).toBeLessThan(60_000);
    }
    expect(clock.slice(2)).toEqual([5, true]);
  });
});
