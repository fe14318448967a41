import { principalStateTopic, tokenStateTopic } from '@warder/contracts';
import type { StartedCluster } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { CallLoad } from '../../call-load.js';
import { ClusterKafka } from '../../cluster-kafka.js';
import { FixtureScene } from '../../fixture-scene.js';
import { START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce, type WireAgent, type WireAnswer } from '../../wire-agent.js';

const REVOCATIONS = 200;
const AT_A_TIME = 6;
const TOKENS_OF_ONE = 50;
const PROBE_EVERY_MS = 10;
/** Of the target, one second, a slow machine may miss some; a node that never hears of it does not pass. */
const PATIENCE_MS = 15_000;

type Token = Pick<Member, 'tokenId' | 'token'>;

describe('revoking a token', () => {
  let scene: FixtureScene<StartedCluster>;
  let kafka: ClusterKafka;
  let readableAtMs: ReadonlyMap<string, number>;
  let load: CallLoad;
  let live: Member;
  const revoked: string[] = [];

  beforeAll(async () => {
    scene = await FixtureScene.cluster();
    kafka = new ClusterKafka(scene.warder);
    readableAtMs = await kafka.watchRevocations();
    live = await scene.member();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await kafka?.close();
    await scene?.stop();
  }, 60_000);

  const revoke = async ({ tokenId, token }: Token): Promise<void> => {
    await eventually(
      'identity revokes it',
      () =>
        scene.admin.revoke(tokenId).then(
          () => true,
          () => false,
        ),
      60_000,
    );
    revoked.push(token);
  };
  const isRefused = async (agent: WireAgent): Promise<boolean> => (await agent.call('echo')).status === 401;
  const cutEverywhere = async ({ token }: Token): Promise<void> => {
    for (const agent of scene.agents(token)) {
      await eventually(`${agent.node} refuses it`, () => isRefused(agent), PATIENCE_MS);
    }
  };
  const servedEverywhere = async ({ token }: Token): Promise<void> => {
    for (const agent of scene.agents(token)) await eventually(`${agent.node} serves it`, () => agent.isServed());
  };

  it(`cuts it off on both nodes, ${REVOCATIONS} times while calls run`, async () => {
    const tokens = await tokensOf(scene, REVOCATIONS);
    await servedEverywhere(tokens.at(-1)!);
    load = new CallLoad(scene.agents(live.token), 400);
    const accepted: { tokenId: string; atMs: number }[] = [];
    let probes = 0;
    const one = async (token: Token) => {
      const probing = scene.agents(token.token).map((agent) => lastAccepted(agent));
      await revoke(token);
      for (const { acceptedAtMs, count } of await Promise.all(probing)) {
        probes += count;
        accepted.push({ tokenId: token.tokenId, atMs: acceptedAtMs });
      }
    };
    const queue = [...tokens];
    const worker = async () => {
      for (let token = queue.pop(); token !== undefined; token = queue.pop()) await one(token);
    };
    const startMs = performance.now();
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    const seconds = (performance.now() - startMs) / 1_000;
    await load.stop();
    const total = Math.round(load.rate() + probes / seconds);
    await eventually('the watcher has read all', async () => tokens.every(({ tokenId }) => readableAtMs.has(tokenId)));
    const late = accepted.map(({ tokenId, atMs }) => atMs - readableAtMs.get(tokenId)!);
    const sorted = late.toSorted((a, b) => a - b).map(Math.round);
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)];
    process.stdout.write(
      `${REVOCATIONS} revocations on 2 nodes at ${total} calls/s: last accepted call begun ` +
        `${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${at(1)} ms (last) after the record was readable\n`,
    );
    expect(sorted).toHaveLength(2 * REVOCATIONS);
    expect(load.refusals).toEqual(new Map());
  }, 120_000);

  it('cuts an open stream and a running call, on each node and up to the upstream', async () => {
    const token = await scene.member();
    await servedEverywhere(token);
    const nonces: string[] = [];
    const running = scene.agents(token.token).flatMap((agent) =>
      [false, true].map((wantsStream) => {
        const nonce = newNonce();
        nonces.push(nonce);
        return agent.call('slow', { ms: 100_000, nonce }, wantsStream);
      }),
    );
    await eventually('the upstream has them all', async () => nonces.every((nonce) => wasExecuted(scene, nonce)));
    await revoke(token);
    const ended = await Promise.all(
      running.map((call) => call.then((answer) => ({ answer, atMs: performance.now() }))),
    );
    const afterMs = Math.max(...ended.map(({ atMs }) => atMs)) - readableAtMs.get(token.tokenId)!;
    process.stdout.write(`4 running calls were cut within ${Math.round(afterMs)} ms\n`);
    for (const { answer } of ended) expect(codeOf(answer)).toBe('WDR_CALL_REVOKED');
    await eventually('the upstream was told', async () =>
      nonces.every((nonce) => scene.fixture.cancelled.includes(nonce)),
    );
    for (const nonce of nonces) {
      await eventually(
        'its record',
        async () => (await scene.admin.records({ kind: 'call', text: nonce })).length === 1,
      );
      const [record] = await scene.admin.records({ kind: 'call', text: nonce });
      expect(record).toMatchObject({ outcome: 'unknown', refusal: { code: 'WDR_CALL_REVOKED' } });
    }
  }, 60_000);

  it('of everything that somebody who leaves had: their tokens and what runs under them', async () => {
    const leaver = await scene.member();
    const second = await scene.admin.token(leaver.principalId, 'desktop');
    await servedEverywhere(leaver);
    await servedEverywhere(second);
    const nonce = newNonce();
    const running = scene.agent(second.token, 'ingress-2').call('slow', { ms: 100_000, nonce });
    await eventually('the upstream has it', async () => wasExecuted(scene, nonce));
    await scene.admin.ask('DELETE', `/identity/principals/${leaver.principalId}`);
    expect(codeOf(await running)).toBe('WDR_CALL_REVOKED');
    for (const token of [leaver, second]) await expect(cutEverywhere(token)).resolves.toBeUndefined();
  }, 30_000);

  it('holds when identity is killed between its commit and the publication', async () => {
    load = new CallLoad(scene.agents(live.token), 50);
    const token = await scene.member();
    await servedEverywhere(token);
    const { warder } = scene;
    await warder.service('kafka').kill('SIGKILL');
    await revoke(token);
    await warder.service('identity').kill('SIGKILL');
    await warder.service('kafka').restart();
    await servedEverywhere(token);
    await warder.service('identity').start();
    const startMs = performance.now();
    await expect(cutEverywhere(token)).resolves.toBeUndefined();
    process.stdout.write(`published ${Math.round(performance.now() - startMs)} ms after identity started again\n`);
    await warder.service('identity').healthy(PATIENCE_MS);
  }, 120_000);

  it('holds while identity is restarted in a loop', async () => {
    for (let round = 0; round < 3; round += 1) {
      const tokens = await tokensOf(scene, 3);
      await servedEverywhere(tokens[2]!);
      const revoking = tokens.map(revoke);
      await new Promise((resolve) => setTimeout(resolve, round * 4));
      await scene.warder.service('identity').kill('SIGKILL');
      await scene.warder.service('identity').start();
      await Promise.all(revoking);
      for (const token of tokens) await expect(cutEverywhere(token)).resolves.toBeUndefined();
    }
  }, 120_000);

  it('holds over a forced rejoin of a node that heard nothing for longer than its session', async () => {
    await load.stop();
    const tokens = await tokensOf(scene, 5);
    await servedEverywhere(tokens[4]!);
    const node = scene.warder.service('ingress-1');
    await node.kill('SIGSTOP');
    for (const token of tokens) await revoke(token);
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    await node.kill('SIGCONT');
    const startMs = performance.now();
    for (const token of tokens) await expect(cutEverywhere(token)).resolves.toBeUndefined();
    process.stdout.write(`cut ${Math.round(performance.now() - startMs)} ms after the node went on\n`);
    await servedEverywhere(live);
  }, 60_000);

  it('holds when everything that was said of somebody before they left is written once more, also for a node that starts', async () => {
    const leaver = await scene.member();
    await servedEverywhere(leaver);
    const before = await kafka.copiesOf([principalStateTopic.name, tokenStateTopic.name]);
    expect(String(before[0]?.messages.map(({ key }) => key))).toContain(leaver.principalId);
    await scene.admin.ask('POST', `/identity/principals/${leaver.principalId}/offboard`);
    await cutEverywhere(leaver);
    await kafka.write(before);
    // What comes behind the old words has been heard: so have they.
    const next = await scene.member();
    await servedEverywhere(next);
    await revoke(next);
    await cutEverywhere(next);
    for (const agent of scene.agents(leaver.token)) expect(await isRefused(agent)).toBe(true);
    await scene.warder.service('ingress-2').restart();
    await servedEverywhere(live);
    for (const agent of scene.agents(leaver.token)) expect(await isRefused(agent)).toBe(true);
  }, 120_000);

  it('lets none of them in later, those who were not revoked always, and leaves a record of each', async () => {
    expect(load.refusals).toEqual(new Map());
    const accepted: string[] = [];
    for (const token of revoked) {
      for (const agent of scene.agents(token)) if (!(await isRefused(agent))) accepted.push(agent.node);
    }
    expect(accepted).toEqual([]);
    await scene.ledgerHolds();
    const told = await scene.admin.records({ kind: 'admin' });
    expect(told.filter(({ method }) => method === 'admin/identity/token.revoke')).toHaveLength(revoked.length);
  }, 60_000);
});

async function tokensOf(scene: FixtureScene, count: number): Promise<Token[]> {
  const owners = await Promise.all(Array.from({ length: Math.ceil(count / TOKENS_OF_ONE) }, () => scene.member()));
  const shares = owners.map(async ({ principalId }, at) => {
    const tokens: Token[] = [];
    while (tokens.length < Math.min(TOKENS_OF_ONE, count - at * TOKENS_OF_ONE)) {
      tokens.push(await scene.admin.token(principalId, `laptop ${tokens.length}`));
    }
    return tokens;
  });
  return (await Promise.all(shares)).flat();
}

/** Calls over and over until the first refusal. @returns when the last call began that was accepted */
async function lastAccepted(agent: WireAgent): Promise<{ acceptedAtMs: number; count: number }> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  let acceptedAtMs = performance.now();
  for (let count = 1; ; count += 1) {
    const beginMs = performance.now();
    const { status } = await agent.call('echo');
    if (status === 401) return { acceptedAtMs, count };
    if (status === 200) acceptedAtMs = beginMs;
    if (beginMs > giveUpAtMs) throw new Error(`${agent.node} still accepts a revoked token, ${status}`);
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
}

function wasExecuted(scene: FixtureScene, nonce: string): boolean {
  return scene.fixture.executed().some((entry) => entry.nonce === nonce);
}

/** The code of a refusal, be it the body or the last event of a stream. */
function codeOf({ text }: WireAnswer): string | undefined {
  return /WDR_[A-Z_]+/.exec(text)?.[0];
}
