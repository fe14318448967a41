import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNginx } from './nginx.js';
import { describeRow, pairedSlices, ROW_HEAD, type Row } from './paired-slices.js';
import type { Target } from './target.js';
import { freePort, isPinned, type LoadGenerator, startLoadGenerator, startProxy, startUpstream } from './processes.js';
import { referenceProxy } from './reference-proxy.js';
import { judge } from './verdict.js';

/** How long and how hard a run is. */
export interface GatePlan {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmUpMs: number;
  readonly warmUpCalls: number;
  readonly connections: number;
  /** Takes the reference proxy for the gateway: proves the bench, and says nothing about the product. */
  readonly isStub: boolean;
  /** Options for the gateways' Node, such as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

const WARM_UP_TIMEOUT_MS = 60_000;

interface Scene {
  readonly targets: readonly Target[];
  readonly stop: () => Promise<void>;
}

const ROWS = { r: 'R', again: 'R again (A/A)', paused: 'warder, drain paused', draining: 'warder, draining' };

/** Runs the gate and prints its table. @returns whether it passed */
export async function runGate(plan: GatePlan, print: (line: string) => void): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'warder-bench-'));
  const closers: (() => Promise<void>)[] = [() => rm(dir, { recursive: true, force: true })];
  const generator = startLoadGenerator();
  try {
    const { targets, stop } = await setScene(plan, dir, closers, print);
    closers.push(stop);
    for (const { name, at } of targets) {
      await generator.open(name, at, plan.connections);
      await warmUp(name, plan, generator);
    }
    const rows = await pairedSlices(targets, plan, (name, durationMs) => generator.run(name, durationMs));
    return await report(rows, plan, print);
  } finally {
    generator.stop();
    for (const close of closers.reverse()) await close();
  }
}

/**
 * At least the planned time, and as many calls for each row: the optimising compiler counts calls and not seconds, and
 * a row that is still being compiled pays for the compiler.
 */
async function warmUp(name: string, plan: GatePlan, generator: LoadGenerator): Promise<void> {
  const stopAtMs = performance.now() + WARM_UP_TIMEOUT_MS;
  for (let calls = 0; calls < plan.warmUpCalls && performance.now() < stopAtMs;) {
    const warm = await generator.run(name, plan.warmUpMs);
    if (warm.wrong > 0) throw new Error(`${name} answers wrongly: ${warm.firstWrong}`);
    calls += warm.answered;
  }
}

async function setScene(
  plan: GatePlan,
  dir: string,
  closers: (() => Promise<void>)[],
  print: (line: string) => void,
): Promise<Scene> {
  const upstreamPort = await freePort();
  closers.push((await startUpstream(upstreamPort)).stop);
  const script = referenceProxy();
  const reference = async (name: string): Promise<Target> => {
    const port = await freePort();
    const { pid, stop } = await startProxy(script, port, upstreamPort);
    closers.push(stop);
    return { name, pid, at: { port, path: '/mcp', tokens: ['bench'], isGateway: false } };
  };
  const references = [await reference(ROWS.r), await reference(ROWS.again)];
  const nginx = await startNginx(dir, upstreamPort);
  if (nginx === undefined) print('nginx: absent');
  else closers.push(nginx.stop);
  const beside: Target[] =
    nginx === undefined
      ? []
      : [
          {
            name: 'nginx',
            pid: nginx.pid,
            at: { port: nginx.port, path: '/mcp', tokens: ['bench'], isGateway: false },
          },
        ];
  const warders = plan.isStub
    ? [await reference(ROWS.paused), await reference(ROWS.draining)]
    : await gateways(plan, dir, upstreamPort, closers);
  return { targets: [...references, ...beside, ...warders], stop: async () => {} };
}

// Loaded when needed: the stub proves the bench on a tree where nothing else stands.
async function gateways(
  plan: GatePlan,
  dir: string,
  upstreamPort: number,
  closers: (() => Promise<void>)[],
): Promise<Target[]> {
  const { startGateways } = await import('./gateways.js');
  return startGateways({ paused: ROWS.paused, draining: ROWS.draining }, plan.nodeArgs, { dir, upstreamPort, closers });
}

async function report(rows: readonly Row[], plan: GatePlan, print: (line: string) => void): Promise<boolean> {
  const rowOf = (name: string): Row => {
    const row = rows.find((each) => each.name === name);
    if (row === undefined) throw new Error(`no row ${name}`);
    return row;
  };
  const load = (await readFile('/proc/loadavg', 'utf8')).split(' ').slice(0, 3).join(' ');
  print(`Node ${process.version}, load average ${load}, ${isPinned() ? 'pinned by taskset' : 'not pinned'}`);
  print(`${plan.rounds} rounds of ${plan.sliceMs} ms, ${plan.connections} connections; ratios are medians of pairs`);
  print(ROW_HEAD);
  for (const row of rows) print(describeRow(row, rowOf(ROWS.r)));
  if (plan.isStub) print('stub: the reference proxy stands in for the gateway');
  const { lines, isPassed } = judge({
    r: rowOf(ROWS.r),
    again: rowOf(ROWS.again),
    paused: rowOf(ROWS.paused),
    draining: rowOf(ROWS.draining),
  });
  for (const line of lines) print(line);
  return isPassed;
}
