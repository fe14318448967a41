import { afterEach, describe, expect, it } from 'vitest';
import { DataKeys } from './data-keys.js';

let keys: DataKeys | undefined;
afterEach(() => keys?.close());

/** Data keys over a wrapping that numbers what it makes, and a clock that is moved by hand. */
function start(bounds: { keptMs?: number; sealsMax?: number; cachedMax?: number } = {}) {
  const asked = { made: 0, unwrapped: [] as string[], isAway: false };
  const away = () => Promise.reject(new Error('away'));
  const clock = { nowMs: 0 };
  const keyOf = (wrapped: string) => Buffer.alloc(32, Number(wrapped));
  const made = new DataKeys(
    {
      make: () => {
        if (asked.isAway) return away();
        asked.made += 1;
        return Promise.resolve({ wrapped: String(asked.made), key: keyOf(String(asked.made)) });
      },
      unwrap: (wrapped) => {
        if (asked.isAway) return away();
        asked.unwrapped.push(wrapped);
        return Promise.resolve(keyOf(wrapped));
      },
    },
    { keptMs: 60_000, sealsMax: 100, cachedMax: 10, ...bounds },
    () => clock.nowMs,
  );
  keys = made;
  return { asked, clock, keys: made };
}

describe('data keys', () => {
  it('seal for their time, the next one fetched at half of it', async () => {
    const { asked, clock, keys: held } = start();
    expect((await held.forSealing()).wrapped).toBe('1');
    clock.nowMs = 29_999;
    expect((await held.forSealing()).wrapped).toBe('1');
    expect(asked.made).toBe(1);
    clock.nowMs = 30_000;
    expect((await held.forSealing()).wrapped).toBe('1');
    expect(asked.made).toBe(2);
    expect((await held.forSealing()).wrapped).toBe('2');
  });

  it('go on sealing to their end while none can be fetched, and not past it', async () => {
    const { asked, clock, keys: held } = start();
    await held.forSealing();
    asked.isAway = true;
    clock.nowMs = 59_999;
    expect((await held.forSealing()).wrapped).toBe('1');
    clock.nowMs = 60_000;
    await expect(held.forSealing()).rejects.toThrow('away');
  });

  it('seal a bounded number of values', async () => {
    const { keys: held } = start({ sealsMax: 4 });
    const sealed: string[] = [];
    for (let at = 0; at < 12; at += 1) sealed.push((await held.forSealing()).wrapped);
    for (const wrapped of new Set(sealed)) expect(sealed.filter((each) => each === wrapped).length).toBeLessThan(5);
  });

  it('are unwrapped once for callers that come together, and again after their time', async () => {
    const { asked, clock, keys: held } = start();
    await Promise.all([held.unwrapped('7'), held.unwrapped('7')]);
    await held.unwrapped('7');
    expect(asked.unwrapped).toEqual(['7']);
    clock.nowMs = 60_000;
    expect(await held.unwrapped('7')).toEqual(Buffer.alloc(32, 7));
    expect(asked.unwrapped).toEqual(['7', '7']);
  });

  it('are forgotten, the oldest first, where there are more than the bound', async () => {
    const { asked, keys: held } = start({ cachedMax: 2 });
    for (const wrapped of ['1', '2', '3', '3', '1']) await held.unwrapped(wrapped);
    expect(asked.unwrapped).toEqual(['1', '2', '3', '1']);
  });

  it('are zeros in memory once closed', async () => {
    const { keys: held } = start();
    const { key } = await held.forSealing();
    held.close();
    expect(key).toEqual(Buffer.alloc(32));
  });

  it('are taken with 32 bytes only', async () => {
    const held = new DataKeys(
      { make: () => Promise.reject(new Error('none')), unwrap: async () => Buffer.alloc(16) },
      { keptMs: 60_000, sealsMax: 1, cachedMax: 1 },
      () => 0,
    );
    await expect(held.unwrapped('1')).rejects.toMatchObject({ reason: 'damaged' });
    held.close();
  });
});
