import type { PrincipalState, TokenState } from '@warder/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AdmittedOperation } from '../pipeline/call.js';
import { CallSwitch } from '../pipeline/call-signal.js';
import type { ChangeStream } from '../pipeline/gateway.js';
import { Refusal } from '../pipeline/refusal.js';
import { OpenSubscriptions } from './open-subscriptions.js';

const limits = { subscriptionsMax: 1, subscriptionsPerPrincipalMax: 1, changesEveryMs: 100 };
const call = () =>
  ({
    principal: { id: 'ana' } as PrincipalState,
    token: { id: 'pat', expiresAtMs: Infinity } as TokenState,
    sessionId: undefined,
    signal: new CallSwitch(),
  }) as unknown as AdmittedOperation;
/** A client's side that only notes what came. */
class NotedStream implements ChangeStream {
  readonly came: string[] = [];
  readonly knownDigest = undefined;
  readonly endsAtMs = Infinity;
  open(digest: string): void {
    this.came.push(`open ${digest}`);
  }
  changed(digest: string): boolean {
    this.came.push(`changed ${digest}`);
    return true;
  }
  end(reason: Refusal | undefined): void {
    this.came.push(`end ${reason?.code}`);
  }
}

let isStale = false;
let subscriptions: OpenSubscriptions;
const bugs: unknown[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const clock = { wallMs: () => 0, monotonicMs: () => performance.now() };
  subscriptions = new OpenSubscriptions({ limits, clock, isStale: () => isStale, onBug: (error) => bugs.push(error) });
});
afterEach(() => {
  subscriptions.close();
  vi.useRealTimers();
  isStale = false;
  bugs.length = 0;
});

describe('open subscriptions', () => {
  it('tell of many changes within the window once, with the last of them, and of what was undone not at all', async () => {
    const stream = new NotedStream();
    let list = 'a';
    void subscriptions.enter(call(), stream, () => list).follow();
    for (list of ['b', 'c', 'd']) subscriptions.seen();
    await vi.advanceTimersByTimeAsync(100);
    for (list of ['x', 'd']) subscriptions.seen('ana');
    await vi.advanceTimersByTimeAsync(100);
    list = 'e';
    subscriptions.seen('somebody else');
    await vi.advanceTimersByTimeAsync(100);
    expect(stream.came).toEqual(['open a', 'changed d']);
  });

  it('say nothing while no list is there, and tell of the first one', async () => {
    const stream = new NotedStream();
    let list: string | undefined;
    void subscriptions.enter(call(), stream, () => list).follow();
    subscriptions.seen();
    await vi.advanceTimersByTimeAsync(100);
    list = 'a';
    subscriptions.seen();
    await vi.advanceTimersByTimeAsync(100);
    expect(stream.came).toEqual(['open ', 'changed a']);
  });

  it('tell of what changed while the opening was written down', () => {
    const stream = new NotedStream();
    let list = 'a';
    const subscription = subscriptions.enter(call(), stream, () => list);
    list = 'b';
    void subscription.follow();
    expect(stream.came).toEqual(['open a', 'changed b']);
  });

  it('never open one whose token was revoked meanwhile', async () => {
    const stream = new NotedStream();
    const subscription = subscriptions.enter(call(), stream, () => 'a');
    subscriptions.revoke({ tokenId: 'pat' });
    expect(await subscription.follow()).toMatchObject({ why: 'cut', refusal: { code: 'WDR_CALL_REVOKED' } });
    expect(stream.came).toEqual([]);
  });

  it('end within a second once identity has been silent for too long', async () => {
    const stream = new NotedStream();
    const stale = new Refusal('WDR_IDENTITY_STALE', 'no', 'silent');
    const listed = () => {
      if (isStale) throw stale;
      return 'a';
    };
    void subscriptions.enter(call(), stream, listed).follow();
    isStale = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stream.came).toEqual(['open a', 'end WDR_IDENTITY_STALE']);
  });

  it('end one that fails for a bug, and tell of the bug', async () => {
    const stream = new NotedStream();
    let isBroken = false;
    const bug = new TypeError('a bug');
    const listed = () => {
      if (isBroken) throw bug;
      return 'a';
    };
    void subscriptions.enter(call(), stream, listed).follow();
    isBroken = true;
    subscriptions.seen();
    await vi.advanceTimersByTimeAsync(100);
    expect([stream.came.at(-1), bugs]).toEqual(['end WDR_INTERNAL', [bug]]);
  });

  it('take no new one while the node drains', () => {
    subscriptions.drain();
    expect(() => subscriptions.enter(call(), new NotedStream(), () => 'a')).toThrow('WDR_OVERLOADED');
  });
});

it('keeps the place of one that is over until its end is on record, so that no end is lost for a full journal', async () => {
  vi.useRealTimers();
  const subscription = subscriptions.enter(call(), new NotedStream(), () => 'a');
  void subscription.follow();
  let tries = 0;
  const record = async () => {
    tries += 1;
    if (tries === 1) throw new Refusal('WDR_JOURNAL_FULL', 'full', 'full');
  };
  const left = subscription.leave(record);
  expect(() => subscriptions.enter(call(), new NotedStream(), () => 'a')).toThrow('WDR_OVERLOADED');
  // The delay is a timer that keeps no process alive.
  const awake = setInterval(() => undefined, 100);
  await left;
  clearInterval(awake);
  expect([tries, subscriptions.size]).toEqual([2, 0]);
});
