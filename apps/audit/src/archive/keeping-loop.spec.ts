import { describe, expect, it } from 'vitest';
import { KeepingLoop } from './keeping-loop.js';

describe('the loop that keeps records', () => {
  it('has partitions for records to come at its start, and does not make them wait for the rest', async () => {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const done: string[] = [];
    const keeping = {
      prepare: async () => void done.push('prepared'),
      run: async () => {
        await ended;
        done.push('run');
      },
    };
    const loop = new KeepingLoop(keeping, () => 0, { error() {} });
    await loop.start();
    expect(done).toEqual(['prepared']);
    end();
    await loop.stop();
    expect(done).toEqual(['prepared', 'run']);
  });

  it('starts where partitions cannot be made now, says so once, and tries with the next run', async () => {
    const messages: string[] = [];
    const runs: number[] = [];
    const keeping = {
      prepare: async () => {
        throw new Error('the database is away');
      },
      run: async (nowMs: number) => void runs.push(nowMs),
    };
    const loop = new KeepingLoop(keeping, () => 7, { error: (_, message) => void messages.push(message) });
    await loop.start();
    await loop.stop();
    expect(messages).toEqual(['the records are not kept as they should be; it is tried again']);
    expect(runs).toEqual([7]);
  });
});
