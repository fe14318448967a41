import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeldLeases } from './held-leases.js';
import type { Wanted } from './lease-slot.js';
import type { LeaseAsked, LeaseCame, LeaseChannel } from './lease-transport.js';

const never = new AbortController().signal;
const wantedOf = (upstream: string, version = 1): Wanted => ({
  key: `static/${upstream} ${upstream}`,
  connectionId: `static/${upstream}`,
  upstream,
  principalId: '',
  version,
  generation: version,
});

/** A channel whose other end is the test. */
class OpenChannel implements LeaseChannel {
  readonly asked: LeaseAsked[] = [];
  isBroken = false;
  async ask(asked: LeaseAsked): Promise<void> {
    this.asked.push(asked);
    if (this.isBroken) throw new Error('the bus is away');
  }
  onCame(): void {}
}

let nowMs: number;
let channel: OpenChannel;
beforeEach(() => {
  vi.useFakeTimers();
  nowMs = 1_000_000;
  channel = new OpenChannel();
});
afterEach(() => vi.useRealTimers());

const heldOf = (bounds: object = {}) =>
  new HeldLeases(channel, { heldMax: 10, idleMs: 600_000, coldWaitMs: 2_000, ...bounds }, () => nowMs);
const cameFor = (
  asked: LeaseAsked,
  terms: object = {},
  kind: 'headers' | 'environment' = 'headers',
  key = 'v',
): LeaseCame => ({
  requestId: asked.requestId,
  connectionId: asked.connectionId,
  principalId: asked.principalId,
  refusal: null,
  lease: {
    upstream: asked.upstream,
    version: 1,
    generation: 1,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 900_000,
    credential: { kind, values: { key } },
    ...terms,
  },
});

/** Leases of a node that holds one of `files`. */
async function holding(bounds: object = {}) {
  const held = heldOf(bounds);
  const waited = held.of(wantedOf('files'), never);
  expect(held.take(cameFor(channel.asked[0]!))).toBeUndefined();
  await waited;
  return held;
}

describe('the leases of a node', () => {
  it('are handed out of memory once they are there, in the form of the kind that they are', async () => {
    const held = await holding();
    expect(held.of(wantedOf('files'), never)).toMatchObject({
      credential: { kind: 'credential', credential: { kind: 'headers', values: { key: 'v' } } },
      environment: { kind: 'none' },
    });
    expect(channel.asked).toHaveLength(1);
  });

  it('are waited for by one request, for two seconds at most', async () => {
    const held = heldOf();
    const first = held.of(wantedOf('files'), never);
    await vi.advanceTimersByTimeAsync(1_500);
    const second = held.of(wantedOf('files'), never);
    await vi.advanceTimersByTimeAsync(500);
    expect(await first).toEqual({ refusal: 'no-answer' });
    expect(await second).toEqual({ refusal: 'no-answer' });
    expect(channel.asked).toHaveLength(1);
  });

  it('are not waited for where the request cannot be sent, or the call is given up', async () => {
    channel.isBroken = true;
    expect(await heldOf().of(wantedOf('files'), never)).toEqual({ refusal: 'no-answer' });
    channel.isBroken = false;
    const aborting = new AbortController();
    const waited = heldOf().of(wantedOf('files'), aborting.signal);
    aborting.abort(new Error('the client left'));
    await expect(waited).rejects.toThrow('the client left');
  });

  it('are asked for again in the background, more and more seldom, and their coming is told', async () => {
    const held = heldOf();
    const gained: string[] = [];
    held.onGained((upstream) => gained.push(upstream));
    const waited = held.of(wantedOf('files'), never);
    await vi.advanceTimersByTimeAsync(2_000);
    await waited;
    expect(held.unanswered).toBe(1);
    for (const waitMs of [1_000, 2_000, 4_000]) {
      const before = channel.asked.length;
      held.sweep();
      expect(channel.asked).toHaveLength(before);
      nowMs += waitMs;
      held.sweep();
      expect(channel.asked).toHaveLength(before + 1);
      await vi.advanceTimersByTimeAsync(2_000);
    }
    nowMs += 8_000;
    held.sweep();
    held.take(cameFor(channel.asked.at(-1)!));
    expect(gained).toEqual(['files']);
    expect(held.unanswered).toBe(0);
    expect(held.of(wantedOf('files'), never)).not.toBeInstanceOf(Promise);
  });

  it('are renewed when two thirds of their time are over, and forgotten when nobody used them', async () => {
    const held = await holding();
    nowMs += 599_000;
    expect(held.of(wantedOf('files'), never)).not.toBeInstanceOf(Promise);
    held.sweep();
    expect(channel.asked).toHaveLength(1);
    nowMs += 1_000;
    held.sweep();
    expect(channel.asked).toHaveLength(2);
    held.take(cameFor(channel.asked[1]!));
    nowMs += 599_000;
    held.sweep();
    expect(held.size).toBe(0);
    expect(held.take(cameFor(channel.asked[1]!, { generation: 2, version: 2 }))).toBe('unasked');
  });

  it('are no more than the bound: the one that was used longest ago goes', async () => {
    const held = heldOf({ heldMax: 2 });
    for (const upstream of ['a', 'b', 'c']) {
      nowMs += 1;
      const waited = held.of(wantedOf(upstream), never);
      held.take(cameFor(channel.asked.at(-1)!));
      await waited;
    }
    expect(held.size).toBe(2);
    expect(held.of(wantedOf('c'), never)).not.toBeInstanceOf(Promise);
    expect(held.of(wantedOf('b'), never)).not.toBeInstanceOf(Promise);
    const asked = channel.asked.length;
    void held.of(wantedOf('a'), never);
    expect(channel.asked).toHaveLength(asked + 1);
  });

  it('give way to newer ones of the same request, and to none that is not newer', async () => {
    const held = await holding();
    const [asked] = channel.asked;
    expect(held.take(cameFor(asked!, { values: { key: 'again' } }))).toBe('unasked');
    expect(held.take(cameFor(asked!, { generation: 2 }, 'headers', 'new'))).toBeUndefined();
    expect(held.take(cameFor(asked!, { generation: 1 }, 'headers', 'old'))).toBe('unasked');
    expect(held.of(wantedOf('files'), never)).toMatchObject({ credential: { credential: { values: { key: 'new' } } } });
  });

  it('are worth nothing once the connection is another one, or is no more', async () => {
    const held = await holding();
    held.outdate(wantedOf('files', 2));
    expect(held.of(wantedOf('files', 2), never)).toBeInstanceOf(Promise);
    expect(held.take(cameFor(channel.asked[1]!))).toBe('superseded');
    expect(held.take(cameFor(channel.asked[1]!, { version: 2, generation: 2 }))).toBeUndefined();
    held.drop(wantedOf('files').key);
    expect(held.take(cameFor(channel.asked[1]!, { version: 3, generation: 3 }))).toBe('unasked');
  });

  it('are told of when a child holds the environment of another generation', async () => {
    const held = heldOf();
    const gained: string[] = [];
    held.onGained((upstream) => gained.push(upstream));
    const waited = held.of(wantedOf('files'), never);
    held.take(cameFor(channel.asked[0]!, {}, 'environment'));
    await waited;
    expect(gained).toEqual([]);
    held.take(cameFor(channel.asked[0]!, { generation: 2 }, 'environment'));
    expect(gained).toEqual(['files']);
  });

  it.each([
    ['foreign', (asked: LeaseAsked) => ({ ...cameFor(asked), connectionId: 'static/other' })],
    ['foreign', (asked: LeaseAsked) => ({ ...cameFor(asked), principalId: 'usr_2' })],
    ['foreign', (asked: LeaseAsked) => cameFor(asked, { upstream: 'other' })],
    ['clock-skew', (asked: LeaseAsked) => cameFor(asked, { issuedAtMs: nowMs + 60_001 })],
    ['too-long', (asked: LeaseAsked) => cameFor(asked, { expiresAtMs: nowMs + 900_001 })],
    ['ended', (asked: LeaseAsked) => cameFor(asked, { issuedAtMs: nowMs - 10, expiresAtMs: nowMs })],
    ['unasked', (asked: LeaseAsked) => ({ ...cameFor(asked), requestId: 'another' })],
  ])('are not taken: %s', (why, came) => {
    const held = heldOf();
    void held.of(wantedOf('files'), never);
    expect(held.take(came(channel.asked[0]!))).toBe(why);
  });
});

describe('a lease that the upstream refused', () => {
  const credentialOf = async (held: HeldLeases) => {
    const answer = await held.of(wantedOf('files'), never);
    if ('refusal' in answer || answer.credential.kind !== 'credential') throw new Error('no credential');
    return answer.credential.credential;
  };

  it('is asked for anew once, however many calls were refused with it, and says which it was', async () => {
    const held = await holding();
    const refused = await credentialOf(held);
    const answers = Promise.all([1, 2, 3].map(async () => held.afterRefusal(wantedOf('files'), refused, never)));
    expect(channel.asked).toHaveLength(2);
    expect(channel.asked[1]).toMatchObject({ refusedGeneration: 1 });
    held.take(cameFor(channel.asked[1]!, { generation: 2 }, 'headers', 'w'));
    expect(await answers).toMatchObject(
      Array.from({ length: 3 }, () => ({ credential: { credential: { values: { key: 'w' } } } })),
    );
    // Whoever comes late with the old one is given what is there.
    expect(await held.afterRefusal(wantedOf('files'), refused, never)).toMatchObject({ generation: 2 });
    expect(channel.asked).toHaveLength(2);
  });

  it('that is the newest there is, is kept for a minute and not asked for with each call', async () => {
    const held = await holding();
    const waited = held.afterRefusal(wantedOf('files'), await credentialOf(held), never);
    held.take(cameFor(channel.asked[1]!));
    expect(await waited).toMatchObject({ generation: 1 });
    expect(await held.afterRefusal(wantedOf('files'), await credentialOf(held), never)).toMatchObject({
      generation: 1,
    });
    expect(channel.asked).toHaveLength(2);
    nowMs += 60_000;
    void held.afterRefusal(wantedOf('files'), await credentialOf(held), never);
    expect(channel.asked).toHaveLength(3);
  });
});

describe('a credential that was handed out', () => {
  const ended: unknown[] = [];
  beforeEach(() => void ended.splice(0));
  const told = (key: string): unknown => ['files', { kind: 'headers', values: { key } }];
  async function holdingTold(): Promise<HeldLeases> {
    const held = await holding();
    held.onEnded((upstream, credential) => ended.push([upstream, credential]));
    return held;
  }
  const objectOf = (held: HeldLeases): unknown => {
    const answer = held.of(wantedOf('files'), never);
    return 'credential' in answer && answer.credential.kind === 'credential' ? answer.credential.credential : undefined;
  };
  function renew(held: HeldLeases, key: string, generation: number): void {
    nowMs += 600_000;
    void held.of(wantedOf('files'), never);
    held.sweep();
    held.take(cameFor(channel.asked[1]!, { generation }, 'headers', key));
  }

  it('is the same object for as long as it is the same, however often its lease is renewed', async () => {
    const held = await holdingTold();
    const before = objectOf(held);
    renew(held, 'v', 1);
    expect(objectOf(held)).toBe(before);
    expect(ended).toEqual([]);
  });

  it('is told of when another one takes its place', async () => {
    const held = await holdingTold();
    renew(held, 'w', 2);
    expect(ended).toEqual([told('v')]);
  });

  it('is told of once when it is dropped, or the state of its connection is of a newer one', async () => {
    const held = await holdingTold();
    held.outdate(wantedOf('files', 2));
    expect(ended).toEqual([told('v')]);
    held.drop(wantedOf('files').key);
    expect(ended).toEqual([told('v')]);
  });

  it('is told of when its lease ends and is not renewed, also after the upstream refused it', async () => {
    const held = await holdingTold();
    const refused = objectOf(held) as { kind: 'headers'; values: Record<string, string> };
    void held.afterRefusal(wantedOf('files'), refused, never);
    expect(ended).toEqual([]);
    nowMs += 899_999;
    void held.of(wantedOf('files'), never);
    held.sweep();
    expect(ended).toEqual([]);
    nowMs += 1;
    held.sweep();
    expect(ended).toEqual([told('v')]);
  });
});
