import { createKafkaBus } from '@warder/bus';
import { createLogger } from '@warder/telemetry';
import { AccessTokens, Callers, PrincipalDirectory } from '@warder/tokens';
import { afterEach, describe, expect, it } from 'vitest';
import { NodeState } from './node-state.js';
import { Replication } from './replication.js';

const log = createLogger('spec', { level: 'silent' });
const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

describe('a node with a last-good copy', () => {
  let pushedMs = 0;
  const clock = { wallMs: () => Date.now() + pushedMs, monotonicMs: () => performance.now() + pushedMs };
  const replicationOf = () => {
    const bus = createKafkaBus({ node: 'n1', service: 'ingress', brokers: ['127.0.0.1:9'], log, clock });
    toClose.push(() => bus.close());
    const ignore = () => undefined;
    const directory = new PrincipalDirectory({ p1: 'a-pepper-of-at-least-32-characters' });
    const state = new NodeState(new Callers(directory, new AccessTokens(() => 'https://warder.example')), {
      onPolicy: ignore,
      onConnection: ignore,
      onUpstreamAuth: ignore,
      onSeen: ignore,
      onChanged: ignore,
    });
    return new Replication(bus, state, clock);
  };

  it('waits for a bus that has not answered yet: the copy may hold what was revoked while the node was down', async () => {
    const replication = replicationOf();
    replication.loadedLastGood(clock.wallMs());
    expect(() => replication.ensureUsable()).toThrow('WDR_STATE_NOT_READY');
    const started = replication.start();
    toClose.push(() => replication.stop());
    expect(() => replication.ensureUsable()).toThrow('WDR_STATE_NOT_READY');
    await started;
    // A bus that stays away must not keep a node from its work.
    pushedMs += 5_000;
    replication.ensureUsable();
    expect(replication.readiness()).toBe(true);
  });
});
