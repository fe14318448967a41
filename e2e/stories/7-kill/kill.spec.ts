import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FixtureKillPoint, StartedCluster } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { CallLoad } from '../../call-load.js';
import { FixtureScene } from '../../fixture-scene.js';
import { disorderOf, recordOrder } from '../../record-order.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually } from '../../wire-agent.js';

const POINTS: readonly FixtureKillPoint[] = ['before-ledger', 'after-ledger', 'after-answer'];
const AT_ONCE = 12;
const RATE = 100;

describe.each(shapesOf('7-kill'))('kill -9 in %s', (shape) => {
  const dir = mkdtempSync(join(tmpdir(), 'warder-kill-'));
  let scene: FixtureScene;
  let ana: Member;
  let onPoint: (() => void) | undefined;
  beforeAll(async () => {
    const die = () => {
      scene.fixture.set({ killAt: null });
      onPoint?.();
    };
    scene = await FixtureScene.inShape(shape, { fixture: { ledgerFile: join(dir, 'ledger'), die } });
    ana = await scene.member();
    await servedEverywhere();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.stop();
    rmSync(dir, { recursive: true });
  }, 60_000);

  const victim = () => scene.nodes[0]!;
  const servedEverywhere = async () => {
    for (const agent of scene.agents(ana.token)) await eventually(`${agent.node} serves`, () => agent.isServed());
  };
  /** Kills the process when the first of many calls at once reaches the point; answers how many were answered. */
  const killAt = async (point: FixtureKillPoint, process: string): Promise<number> => {
    const ended = new Promise<void>((resolve) => {
      onPoint = () => void scene.warder.service(process).kill('SIGKILL').then(resolve);
    });
    scene.fixture.set({ killAt: point });
    const agent = scene.agent(ana.token, victim());
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => agent.call('add', { a: 1, b: 2 })));
    await ended;
    onPoint = undefined;
    await scene.warder.service(process).restart();
    await servedEverywhere();
    return answers.filter(({ status }) => status === 200).length;
  };

  it.each(POINTS)(
    'of the node that called, at %s: each act has one record',
    async (point) => {
      expect(await killAt(point, victim())).toBeLessThan(AT_ONCE);
      await scene.ledgerHolds();
    },
    90_000,
  );

  it('of a node under load, at any moment: each act has one record, those without an outcome say unknown', async () => {
    for (const delayMs of [300, 707]) {
      const load = new CallLoad(scene.agents(ana.token), RATE);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await scene.warder.service(victim()).kill('SIGKILL');
      await load.stop();
      await scene.warder.service(victim()).restart();
      await servedEverywhere();
    }
    await scene.ledgerHolds();
    const unknown = await scene.admin.records({ upstream: 'known', outcome: 'unknown' });
    expect(unknown.length).toBeGreaterThan(0);
  }, 90_000);

  it('leaves no gap in any log and no record twice', async () => {
    await eventually('all records are stored', async () => disorderOf(await scene.admin.records({})).length === 0);
    expect(disorderOf(await scene.admin.records({}))).toEqual([]);
  }, 60_000);

  if (shape !== 'cluster') return;
  it('of the broker, between an answer and its record: nothing is lost, nothing is there twice', async () => {
    const load = new CallLoad(scene.agents(ana.token), RATE);
    expect(await killAt('after-answer', 'kafka')).toBe(AT_ONCE);
    await load.stop();
    expect(load.refusals).toEqual(new Map());
    await scene.ledgerHolds();
    const { inKafka, inPostgres, records, resent } = await recordOrder(scene.warder as StartedCluster);
    process.stdout.write(`${records} records in order after 6 kills, ${resent} of them sent more than once\n`);
    expect([inKafka, inPostgres]).toEqual([[], []]);
  }, 90_000);
});
