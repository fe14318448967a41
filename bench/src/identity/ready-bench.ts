import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BusLog, createKafkaBus } from '@warder/bus';
import { startKafkaBroker } from '@warder/testing';
import { launchIngress, type StartedIngress, startIngress } from '../ingress-process.js';
import { feedState } from '../state-feeder.js';
import { VIRTUAL_SERVER } from '../workload.js';

const QUIET: BusLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const READY_BOUND_MS = 10_000;
/** As Linux counts for user space (`USER_HZ`). */
const TICKS_PER_SECOND = 100;
/** Nothing listens there: no call of this bench goes that far. */
const UPSTREAM_PORT = 9;

/**
 * Times a node's start to `/readyz` 200, of a real process on a real broker: with nothing of its own, again with its copy,
 * and with its copy alone, the broker being away; then asks it with a token of somebody in the middle.
 * @returns whether each was within ten seconds
 */
export async function benchReadiness(people: number, say: (line: string) => void): Promise<boolean> {
  const dir = mkdtempSync(join(tmpdir(), 'warder-bench-identity-'));
  const closers: (() => Promise<void>)[] = [];
  try {
    const broker = await startKafkaBroker();
    closers.push(() => broker.stop());
    const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
    const { brokers } = broker;
    const bus = createKafkaBus({ node: 'bench-feeder', service: 'identity', brokers, log: QUIET, clock });
    closers.push(() => bus.close());
    const pepper = { keyId: 'bench', secret: randomBytes(32).toString('hex') };
    const bearers = await feedState(bus, pepper, UPSTREAM_PORT, people);
    const bearer = bearers[Math.floor(people / 2)]!;
    const options = { node: 'ingress-1', brokers, pepper, dir, isDrainPaused: true, nodeArgs: [] };
    say('a node is ready                  seconds   CPU s   RSS MiB   its copy on disk');
    const first = await timed('from Kafka', () => startIngress(options), bearer, say);
    const again = await timed(
      'from Kafka, with its copy',
      () => launchIngress(first.file, first.port, []),
      bearer,
      say,
    );
    await bus.close();
    await broker.stop();
    const alone = await timed(
      'from its copy, Kafka away',
      () => launchIngress(first.file, first.port, []),
      bearer,
      say,
    );
    return [first, again, alone].every(({ ms }) => ms <= READY_BOUND_MS);
  } finally {
    for (const close of closers.toReversed()) await close().catch(() => {});
    rmSync(dir, { recursive: true, force: true });
  }
}

async function timed(
  what: string,
  start: () => Promise<StartedIngress>,
  bearer: string,
  say: (line: string) => void,
): Promise<{ ms: number; file: string; port: number }> {
  const startMs = performance.now();
  const node = await start();
  const ms = performance.now() - startMs;
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024;
  const cpuS = cpuSecondsOf(node.pid);
  const status = await asked(node.port, bearer);
  if (status !== 200) throw new Error(`a token that there is was answered ${status}\n${node.output()}`);
  // It writes its copy a last time.
  await node.stop();
  const { size } = statSync(join(dirname(node.file), 'replica'));
  say(
    `${what.padEnd(31)} ${(ms / 1_000).toFixed(2).padStart(8)} ${cpuS.toFixed(2).padStart(7)} ${rss.toFixed(0).padStart(9)}   ${(size / 1_048_576).toFixed(1)} MiB`,
  );
  return { ms, file: node.file, port: node.port };
}

/** What the process has used of all CPUs, seconds. @see proc(5), `/proc/pid/stat`, fields 14 and 15 */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What the holder of a token is answered who asks what there is. */
async function asked(port: number, bearer: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/mcp/${VIRTUAL_SERVER}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
    }),
  });
  await answer.arrayBuffer();
  return answer.status;
}
