import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Destination } from './destination.js';
import type { ClosedFile } from './file-manifest.js';
import { createFiles } from './files.js';
import { FilesSettings } from './files-settings.js';
import { deadline, exportRecord, exportRecords, ExportScene, HOSTILE, WAIT } from './http-destination.scene.js';

let scene: ExportScene;
beforeEach(() => {
  scene = new ExportScene();
});
afterEach(async () => {
  vi.useRealTimers();
  await scene.end();
});

function start(settings: Partial<FilesSettings> = {}): Destination {
  const given = { kind: 'files', dir: scene.dir, format: 'record', segmentBytesMax: 7_000, totalBytesMax: 1e6 };
  return scene.opens(createFiles(FilesSettings.parse({ ...given, ...settings }), scene.context));
}

const send = (destination: Destination, from: number, count: number) =>
  destination.send(
    Array.from({ length: count }, (_, n) => exportRecord(from + n)),
    deadline().signal,
  );
const dir = () => join(scene.dir, 'audit-1');
const names = () => readdirSync(dir()).sort();
const manifest = (): ClosedFile[] =>
  readFileSync(join(dir(), 'manifest.ndjson'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ClosedFile);
/** Every line of every file, oldest first; each is whole JSON or this throws. */
function ids(): string[] {
  return names()
    .filter((name) => name.startsWith('audit-'))
    .flatMap((name) => {
      const bytes = readFileSync(join(dir(), name));
      const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
      expect(text.endsWith('\n')).toBe(true);
      return text.slice(0, -1).split('\n');
    })
    .map((line) => (JSON.parse(line) as { recordId: string }).recordId);
}
const expectedIds = (count: number) => exportRecords(count).map(({ key }) => key);

describe('exported files', () => {
  it('are closed by size, compressed, named by their first record, and listed with the hash of what is collected', async () => {
    const destination = start();
    for (let n = 0; n < 7; n++) expect(await send(destination, n * 2, 2)).toEqual([]);
    expect(names()).toEqual([
      'audit-20260921T141320000Z-000001.ndjson.gz',
      'audit-20260921T141320000Z-000002.ndjson.gz',
      'audit-20260921T141320000Z-000003.ndjson.gz',
      'audit-20260921T141320000Z-000004.ndjson.open',
      'manifest.ndjson',
    ]);
    expect(ids()).toEqual(expectedIds(14));
    expect(manifest().length).toBe(3);
    for (const { file, sha256, bytes, ndjsonSha256, ndjsonBytes, records } of manifest()) {
      const packed = readFileSync(join(dir(), file));
      const plain = gunzipSync(packed);
      expect({ sha256, bytes, records }).toEqual({ sha256: hashOf(packed), bytes: packed.length, records: 4 });
      expect({ ndjsonSha256, ndjsonBytes }).toEqual({ ndjsonSha256: hashOf(plain), ndjsonBytes: plain.length });
    }
  });

  it('hold hostile texts to the character, one record a line', async () => {
    const destination = start({ segmentBytesMax: 400_000 });
    const batch = HOSTILE.map((hostile, n) => exportRecord(n, hostile));
    await destination.send(batch, deadline().signal);
    const [open = ''] = names();
    const lines = readFileSync(join(dir(), open), 'utf8').slice(0, -1).split('\n');
    expect(lines).toEqual(batch.map(({ text }) => text));
  });

  it('are closed by age, also when nothing more comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const destination = start({ segmentAgeMaxMs: 60_000 });
    await send(destination, 0, 1);
    scene.nowMs += 60_000;
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    await expect.poll(names, WAIT).toEqual(['audit-20260921T141320000Z-000001.ndjson.gz', 'manifest.ndjson']);
    await send(destination, 1, 1);
    scene.nowMs += 60_000;
    await send(destination, 2, 1);
    expect(names().length).toBe(4);
    expect(ids()).toEqual(expectedIds(3));
  });

  it('go on in the open file after a stop, and go on counting when every closed one was collected', async () => {
    const first = start();
    for (let n = 0; n < 3; n++) await send(first, n * 2, 2);
    await first.close();
    expect(names().filter((name) => name.endsWith('.gz')).length).toBe(1);
    renameSync(join(dir(), names()[0] ?? ''), join(scene.dir, 'collected'));
    const second = start();
    for (let n = 3; n < 6; n++) await send(second, n * 2, 2);
    expect(names().map((name) => name.slice(-17))).toContain('-000002.ndjson.gz');
    expect(ids()).toEqual(expectedIds(12).slice(4));
  });

  it('are never deleted past the bound: nothing more is taken until somebody collects', async () => {
    const destination = start({ totalBytesMax: 14_000 });
    const long = (n: number) => ({ ...exportRecord(n), text: `{"recordId":"${'r'.repeat(4_000)}${n}"}` });
    // Each compresses to little, so the bound is met by what somebody put where closed files stand.
    await destination.send([long(0)], deadline().signal);
    const other = join(dir(), 'audit-20260101T000000000Z-000000.ndjson.gz');
    writeFileSync(other, Buffer.alloc(12_000));
    await destination.close();
    const full = start({ totalBytesMax: 14_000 });
    await expect(full.send([long(1)], deadline().signal)).rejects.toThrow('collect the closed ones');
    expect(full.state()).toEqual({ status: 'failing' });
    expect(names()).toContain('audit-20260101T000000000Z-000000.ndjson.gz');
    rmSync(other);
    expect(await full.send([long(1)], deadline().signal)).toEqual([]);
  });

  it('are deleted oldest first where the operator said so, and the manifest tells', async () => {
    const first = start({ totalBytesMax: 14_000, deletesOldest: true });
    await send(first, 0, 2);
    const other = 'audit-20260101T000000000Z-000000.ndjson.gz';
    writeFileSync(join(dir(), other), Buffer.alloc(12_000));
    await first.close();
    const second = start({ totalBytesMax: 14_000, deletesOldest: true });
    await send(second, 2, 2);
    expect(names()).not.toContain(other);
    expect(manifest().map(({ file }) => file)).toContain(other);
    expect(ids()).toEqual(expectedIds(4));
    expect(scene.logged.join()).toContain('the oldest exported file was deleted');
  });

  it.each([
    ['half a line', () => appendFileSync(openPath(), '{"recordId":"ha')],
    ['half a line of the manifest', () => appendFileSync(join(dir(), 'manifest.ndjson'), '{"file":"au')],
    ['half a compressed file', () => writeFileSync(join(dir(), 'draft.tmp'), 'half')],
  ])('start again after a kill that left %s', async (_what, leave) => {
    const first = start();
    for (let n = 0; n < 3; n++) await send(first, n * 2, 2);
    await first.close();
    leave();
    const second = start();
    for (let n = 3; n < 6; n++) await send(second, n * 2, 2);
    expect(ids()).toEqual(expectedIds(12));
    expect(manifest().map(({ records }) => records)).toEqual([4, 4]);
    expect(names()).not.toContain('draft.tmp');
  });

  it.each([['before'], ['after']])('end a closing that was killed %s its line in the manifest', async (when) => {
    const first = start();
    for (let n = 0; n < 2; n++) await send(first, n * 2, 2);
    await first.close();
    const [plain = ''] = names();
    const copy = readFileSync(join(dir(), plain));
    const closing = start();
    await send(closing, 4, 2);
    await closing.close();
    // The state of the moment before the plain file was removed, before or after the manifest got its line.
    const [packed = '', next = ''] = names();
    rmSync(join(dir(), next));
    writeFileSync(join(dir(), plain), copy);
    if (when === 'before') writeFileSync(join(dir(), 'manifest.ndjson'), '');
    const second = start();
    await send(second, 4, 2);
    expect(names()).toEqual([packed, next, 'manifest.ndjson']);
    expect(ids()).toEqual(expectedIds(6));
    expect(manifest().map(({ file, records }) => ({ file, records }))).toEqual([{ file: packed, records: 4 }]);
  });

  it('are not written by two at a time', async () => {
    const [first, second] = [start(), start()];
    await send(first, 0, 1);
    await send(second, 1, 1);
    await expect(send(first, 2, 1)).rejects.toThrow('another process writes');
    expect(ids()).toEqual(expectedIds(2));
  });
});

const openPath = () => join(dir(), names().find((name) => name.endsWith('.open')) ?? '');
const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Sends one batch after the other until it is ended, and says which were acknowledged, and how it went on. */
const WRITER = `
import { writeSync } from 'node:fs';
const [built, dir, from] = process.argv.slice(2);
const { createFiles } = await import(built);
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = { info() {}, warn() {} };
const settings = { dir, format: 'record', segmentBytesMax: 20000, segmentAgeMaxMs: 60000, totalBytesMax: 1e9, deletesOldest: false };
const files = createFiles(settings, { name: 'files', node: 'audit-1', format: 'record', clock, log });
let n = Number(from);
for (;;) {
  const batch = Array.from({ length: 3 }, () => {
    const key = String(n++);
    return { key, text: JSON.stringify({ recordId: key, padding: 'x'.repeat(500 + n % 700) }), record: { occurredAtMs: 1790000000000 } };
  });
  try {
    await files.send(batch, new AbortController().signal);
    writeSync(1, batch.map(({ key }) => key).join(' ') + '\\n');
  } catch (error) {
    writeSync(1, 'failed ' + error.code + '\\n');
    process.exit(3);
  }
}
`;

describe('exported files of a process that is ended', () => {
  const app = fileURLToPath(new URL('../..', import.meta.url));
  const built = join(app, 'dist/exporters/files.js');
  beforeAll(() => {
    execFileSync(join(app, '../../node_modules/.bin/tsc'), ['-b', app], { stdio: 'inherit' });
  }, 240_000);

  function startWriter(from: number, limit = ''): { child: ChildProcess; said: () => string[] } {
    writeFileSync(join(scene.dir, 'writer.mjs'), WRITER);
    const command = `${limit} exec "$0" "$@"`;
    const given = [process.execPath, join(scene.dir, 'writer.mjs'), built, scene.dir, String(from)];
    const child = spawn('bash', ['-c', command, ...given], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    return { child, said: () => text.split('\n').slice(0, -1) };
  }

  it('lose nothing that was acknowledged to kill -9, and have no half line', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) {
      const { child, said } = startWriter(round * 100_000);
      await expect.poll(() => said().length, WAIT).toBeGreaterThan(15 + round * 7);
      child.kill('SIGKILL');
      await once(child, 'close');
      acknowledged.push(...said().flatMap((line) => line.split(' ')));
    }
    const after = start();
    await send(after, 0, 1);
    const found = new Set(ids());
    expect(acknowledged.filter((key) => !found.has(key))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(200);
    for (const { file, sha256 } of manifest()) expect(hashOf(readFileSync(join(dir(), file)))).toBe(sha256);
    expect(manifest().length).toBe(names().filter((name) => name.endsWith('.gz')).length);
  });

  it('say that a disk takes no more, and keep whole lines only', async () => {
    // No file may pass 12 KiB, so a batch fails within its bytes, as on a full disk.
    const { child, said } = startWriter(0, "trap '' XFSZ; ulimit -f 12;");
    await once(child, 'close');
    const lines = said();
    expect(lines.at(-1)).toBe('failed EFBIG');
    const acknowledged = lines.slice(0, -1).flatMap((line) => line.split(' '));
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(ids()).toEqual(acknowledged);
  });
});
