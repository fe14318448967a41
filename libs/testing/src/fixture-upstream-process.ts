import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FixtureControl, FixtureOptions } from './fixture-upstream.js';

/** A fixture in a process of its own, which can be killed. */
export interface FixtureProcess {
  readonly url: string;
  readonly pid: number;
  /** Sets switches and answers what the fixture has seen so far. */
  control(switches?: FixtureControl): Promise<Record<string, unknown>>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts the built fixture (`tsc -b libs/testing` must have run).
 * @throws Error if it leaves before it listens
 */
export async function startFixtureProcess(options: Omit<FixtureOptions, 'die'> = {}): Promise<FixtureProcess> {
  const main = fileURLToPath(new URL('../dist/fixture-upstream-main.js', import.meta.url));
  const flags = [
    ...(options.era === undefined ? [] : ['--era', options.era]),
    ...(options.port === undefined ? [] : ['--port', String(options.port)]),
    ...(options.ledgerFile === undefined ? [] : ['--ledger', options.ledgerFile]),
    ...(options.answersBySse === true ? ['--sse'] : []),
  ];
  const child: ChildProcess = spawn(process.execPath, [main, ...flags], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout! });
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)]);
  if (first === undefined) throw new Error(`the fixture upstream left before it listened (${main})`);
  const { url, pid } = JSON.parse(String(first[0])) as { url: string; pid: number };
  return {
    url,
    pid,
    control: async (switches) => {
      const body = switches === undefined ? '' : JSON.stringify(switches);
      const answer = await fetch(new URL('/control', url), { method: 'POST', body });
      return (await answer.json()) as Record<string, unknown>;
    },
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await exited;
    },
  };
}
