import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sealedRecords, SealedCheckpoints } from './sealed-checkpoints.js';

describe('checkpoints that wait', () => {
  let dir: string;
  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'warder-sealed-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('are there for the next process, oldest first, without what was half written', async () => {
    const before = new SealedCheckpoints(dir);
    await before.add({ from: 0, to: 9 }, Buffer.from('first'));
    await before.add({ from: 9, to: 10 }, Buffer.from('second'));
    await before.add({ from: 9, to: 10 }, Buffer.from('second'));
    writeFileSync(join(dir, 'draft.checkpoint.new'), 'half');
    expect(sealedRecords(dir)).toBe(10);
    const after = new SealedCheckpoints(dir);
    const seen: unknown[] = [];
    for (let next = await after.oldest(); next !== undefined; next = await after.oldest()) {
      seen.push([next.size, next.bytes.toString()]);
      await after.removeOldest();
    }
    expect(seen).toEqual([
      [9, 'first'],
      [10, 'second'],
    ]);
    expect([after.records, sealedRecords(dir)]).toEqual([0, 0]);
  });

  it('are 1,024 at most, and those stay', async () => {
    for (let n = 0; n < 1_024; n++) writeFileSync(join(dir, `${n}-${n + 1}.checkpoint`), String(n));
    const sealed = new SealedCheckpoints(dir);
    await expect(sealed.add({ from: 1_024, to: 1_025 }, Buffer.from('x'))).rejects.toThrow('1024 checkpoints');
    expect(sealed.records).toBe(1_024);
    await sealed.removeOldest();
    await sealed.add({ from: 1_024, to: 1_025 }, Buffer.from('x'));
    expect((await sealed.oldest())?.size).toBe(2);
  });
});
