import { CANARY_PRINCIPAL_ID, principalStateTopic } from '@warder/contracts';
import { Metrics } from '@warder/telemetry';
import { PrincipalDirectory } from '@warder/tokens';
import { describe, expect, it } from 'vitest';
import { measurePropagation } from './measure-propagation.js';

describe('the time that a revocation takes', () => {
  it('is from the canary’s sign-out to its enforcement here, and of nobody else’s, nor of the past', async () => {
    const metrics = new Metrics();
    const directory = new PrincipalDirectory({ p1: 'a-pepper-of-thirty-two-characters-and-more' });
    let isCurrent = false;
    const clock = { wallMs: () => 10_000, monotonicMs: () => 0 };
    measurePropagation(
      { metrics, clock },
      (listener) => directory.onRevoked(listener),
      () => isCurrent,
    );
    const hear = (id: string, version: number, signedOutAtMs: number): void =>
      directory.applyPrincipal(id, { ...principalStateTopic.example, id, version, signedOutAtMs });
    const observed = async () => {
      const text = await metrics.registry.metrics();
      return ['sum', 'count'].map((what) =>
        Number(new RegExp(`warder_revocation_propagation_seconds_${what} (\\S+)`).exec(text)?.[1]),
      );
    };
    hear(CANARY_PRINCIPAL_ID, 1, 1_000);
    // A node that starts reads what is long over.
    hear(CANARY_PRINCIPAL_ID, 2, 2_000);
    expect(await observed()).toEqual([0, 0]);
    isCurrent = true;
    hear('usr_1', 1, 0);
    hear('usr_1', 2, 9_000);
    expect(await observed()).toEqual([0, 0]);
    hear(CANARY_PRINCIPAL_ID, 3, 9_960);
    expect(await observed()).toEqual([0.04, 1]);
    // A clock that is ahead of ours.
    hear(CANARY_PRINCIPAL_ID, 4, 10_500);
    expect(await observed()).toEqual([0.04, 2]);
  });
});
