import type { TokenUsed } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { TokenUses } from './token-uses.js';

function uses(tokensMax = 10_000) {
  const told: TokenUsed[] = [];
  const bus = { isAway: false };
  const publish = async (used: TokenUsed) => {
    if (bus.isAway) throw new Error('away');
    told.push(used);
  };
  return { told, bus, uses: new TokenUses('n1', publish, { everyMs: 60_000, tokensMax }) };
}

describe('the uses of tokens', () => {
  it('are told at most once a minute of each token, however many calls there were', async () => {
    const { told, uses: noted } = uses();
    for (let atMs = 0; atMs < 150_000; atMs += 10) {
      noted.note('pat_1', atMs);
      if (atMs % 10_000 === 0) await noted.tell(atMs);
    }
    expect(told).toEqual([0, 60_000, 120_000].map((atMs) => ({ node: 'n1', uses: [{ tokenId: 'pat_1', atMs }] })));
    await noted.tell(200_000);
    expect(told).toHaveLength(3);
  });

  it('go out together, in messages of a bounded length', async () => {
    const { told, uses: noted } = uses();
    for (let at = 0; at < 2_500; at += 1) noted.note(`pat_${at}`, at);
    await noted.tell(3_000);
    expect(told.map(({ uses: some }) => some.length)).toEqual([1_000, 1_000, 500]);
    expect(new Set(told.flatMap(({ uses: some }) => some.map(({ tokenId }) => tokenId))).size).toBe(2_500);
  });

  it('wait while the bus is away, the latest of each token, and no more than the bound', async () => {
    const { told, bus, uses: noted } = uses(2);
    bus.isAway = true;
    for (const atMs of [0, 60_000, 120_000]) {
      for (const tokenId of ['pat_1', 'pat_2', 'pat_3']) noted.note(tokenId, atMs);
      await expect(noted.tell(atMs)).rejects.toThrow('away');
    }
    bus.isAway = false;
    await noted.tell(130_000);
    expect(told).toEqual([
      {
        node: 'n1',
        uses: [
          { tokenId: 'pat_1', atMs: 120_000 },
          { tokenId: 'pat_2', atMs: 120_000 },
        ],
      },
    ]);
    expect(noted.lost).toBe(3);
    // What was told and not used again leaves room.
    await noted.tell(180_000);
    noted.note('pat_3', 180_000);
    await noted.tell(180_000);
    expect(told.at(-1)?.uses).toEqual([{ tokenId: 'pat_3', atMs: 180_000 }]);
  });
});
