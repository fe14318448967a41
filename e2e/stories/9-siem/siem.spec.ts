import type { ReceivedLine } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FixtureScene } from '../../fixture-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce, type WireAgent } from '../../wire-agent.js';
import { FORGED_ID, HOSTILE_TEXTS, padded, PADDINGS } from './hostile-arguments.js';
import { SiemReceivers } from '../../siem-receivers.js';

const WAIT = { timeout: 90_000, interval: 250 };
const CALLED = Object.keys(HOSTILE_TEXTS).length * 2 + PADDINGS.length;

describe.each(shapesOf('9-siem'))('a SIEM of %s', (shape) => {
  let receivers: SiemReceivers;
  let scene: FixtureScene;
  let agent: WireAgent;
  beforeAll(async () => {
    receivers = await SiemReceivers.start();
    scene = await FixtureScene.inShape(shape, {
      ...(shape === 'cluster' ? { environment: { audit: receivers.environment } } : {}),
      ...(shape === 'standalone' ? { configFile: receivers.configFile } : {}),
    });
    const { token } = await scene.member();
    agent = scene.agent(token);
    // The door may lead to either.
    for (const each of scene.agents(token)) await eventually(`${each.node} serves it`, () => each.isServed());
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.stop();
    await receivers?.stop();
  }, 60_000);

  it('has one line of each call, whatever the arguments hold, and no line of anything else', async () => {
    for (const text of Object.values(HOSTILE_TEXTS)) {
      expect((await agent.call('echo', { text })).status).toBe(200);
      const clientInfo = { name: text.slice(0, 200), version: text.slice(0, 100) };
      const _meta = { 'io.modelcontextprotocol/clientInfo': clientInfo };
      await agent.ask('tools/call', { name: 'known__echo', arguments: { nonce: newNonce() }, _meta });
    }
    for (const length of PADDINGS) expect((await agent.call('echo', { text: padded(length) })).status).toBe(200);
    await scene.ledgerHolds();
    await vi.waitFor(async () => {
      const trail = idsOf(await scene.admin.records({ kind: 'call' }));
      expect(trail.length).toBeGreaterThanOrEqual(CALLED);
      for (const [receiver, lines] of Object.entries(await receivers.lines())) {
        const calls = lines.filter(({ msgid }) => msgid === 'call');
        expect([receiver, calls.map(recordIdOf).toSorted()]).toEqual([receiver, trail]);
      }
    }, WAIT);
  }, 180_000);

  it('has no line that is not in the trail, of whatever kind', async () => {
    const lines = await receivers.lines();
    const trail = new Set(idsOf(await scene.admin.records({})));
    for (const [receiver, all] of Object.entries(lines)) {
      expect(all.length).toBeGreaterThan(CALLED);
      const strange = all.filter((line) => !trail.has(recordIdOf(line)));
      expect([receiver, strange.map((line) => JSON.stringify(line).slice(0, 200))]).toEqual([receiver, []]);
      expect(all.map(recordIdOf)).not.toContain(FORGED_ID);
    }
  });

  it('is told of the lag and state of each exporter', async () => {
    // Each look is on record, and so on its way to the exporters: the next one waits until it may have arrived.
    await vi.waitFor(
      async () => {
        const { exporters } = await scene.admin.ask<{ exporters: object[] }>('GET', '/audit/exporters');
        expect(exporters).toHaveLength(3);
        for (const exporter of exporters)
          expect(exporter).toMatchObject({ status: 'well', lag: { records: 0 }, lastError: null, deadLetters: 0 });
      },
      { ...WAIT, interval: 2_000 },
    );
  });
});

function idsOf(records: readonly { readonly recordId: string }[]): string[] {
  return records.map(({ recordId }) => recordId).toSorted();
}

/** The id in the structured data, where a receiver read it; else the line, which then is none of ours. */
function recordIdOf(line: ReceivedLine): string {
  return /^\[warder@32473 recordId="([0-9a-f-]{36})"/.exec(line.sd)?.[1] ?? JSON.stringify(line).slice(0, 200);
}
