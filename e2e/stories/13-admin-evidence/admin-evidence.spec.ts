import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot, ensureBuilt, type StartedCluster, type StartedWarder } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminDoor } from '../../admin-door.js';
import { shapesOf, START_TIMEOUT_MS, startShape } from '../../shapes.js';
import { eventually } from '../../wire-agent.js';

const LOG = 'admin/identity';
const DAY_MS = 86_400_000;
/** Milliseconds from the first act to the kill. */
const KILLS_AFTER_MS = [150, 420, 900];
const AT_ONCE = 4;
const NAMED_WITHIN_MS = 60_000;

interface Verified {
  readonly code: number | null;
  readonly logs: readonly {
    readonly log: string;
    readonly from: number;
    readonly records: number;
    readonly signers: readonly string[];
    readonly findings: readonly { readonly what: string; readonly index?: number }[];
  }[];
}

interface AdminLine {
  readonly log?: string;
  readonly method?: string;
  readonly index: number;
  readonly sequence: number;
  readonly recordId: string;
  readonly personal: { readonly arguments: { readonly value: { readonly name?: string } } };
}

describe.each(shapesOf('13-admin-evidence'))('what an administrator did, in %s', (shape) => {
  const dir = mkdtempSync(join(tmpdir(), 'warder-admin-story-'));
  const owner = shape === 'cluster' ? 'identity' : 'standalone';
  const done: string[] = [];
  let warder: StartedWarder;
  let admin: AdminDoor;
  beforeAll(async () => {
    ensureBuilt('apps/cli');
    warder = await startShape(shape);
    admin = new AdminDoor(warder);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await warder?.stop();
    rmSync(dir, { recursive: true });
  }, 60_000);

  const keys = (): string =>
    shape === 'cluster'
      ? join((warder as StartedCluster).volume('secrets-audit'), 'public')
      : join(warder.dataDir, 'warder', 'public-keys');

  async function bundle(): Promise<string[]> {
    const [from, to] = [-1, 1].map((days) => new Date(Date.now() + days * DAY_MS).toISOString());
    return (await admin.text(`/audit/bundle?from=${from}&to=${to}`)).trimEnd().split('\n');
  }

  /** What the built command says, which has the keys and no network. */
  function verify(lines: readonly string[]): Verified {
    const file = join(dir, 'bundle.ndjson');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const command = [
      join(checkoutRoot(), 'apps/cli/dist/main.js'),
      'audit',
      'verify',
      file,
      '--keys',
      keys(),
      '--json',
    ];
    const { status, stdout } = spawnSync(process.execPath, command, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    return { code: status, ...(JSON.parse(stdout) as Pick<Verified, 'logs'>) };
  }

  const actsIn = (lines: readonly string[]): AdminLine[] =>
    lines.map((line) => JSON.parse(line) as AdminLine).filter(({ log }) => log === LOG);
  const madeIn = (acts: readonly AdminLine[]): string[] =>
    acts
      .filter(({ method }) => method === 'admin/identity/principal.create')
      .flatMap(({ personal }) => personal.arguments.value.name ?? []);

  /** Makes people, some at once, until the service is gone; notes whom it answered for. */
  async function makePeople(round: number, caller: number): Promise<void> {
    for (let n = 0; ; n++) {
      const name = `Person ${round}-${caller}-${n}`;
      try {
        await admin.ask('POST', '/identity/principals', { name });
      } catch {
        return;
      }
      done.push(name);
    }
  }

  it('has one log without a gap that is proved whole, though its service was killed between commit and publication', async () => {
    for (const [round, afterMs] of KILLS_AFTER_MS.entries()) {
      const callers = Array.from({ length: AT_ONCE }, (_, caller) => makePeople(round, caller));
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await warder.service(owner).kill('SIGKILL');
      await Promise.all(callers);
      await warder.service(owner).restart();
      await eventually('the service answers', () =>
        admin.ask('GET', '/identity/principals').then(
          () => true,
          () => false,
        ),
      );
    }
    let lines: string[] = [];
    await eventually(
      'each act is named by a checkpoint',
      async () => {
        lines = await bundle();
        const made = new Set(madeIn(actsIn(lines)));
        return done.every((name) => made.has(name)) && verify(lines).code === 0;
      },
      NAMED_WITHIN_MS,
    );
    const acts = actsIn(lines);
    expect(acts.map(({ index, sequence }) => [index, sequence])).toEqual(acts.map((_, n) => [n, n + 1]));
    expect(new Set(acts.map(({ recordId }) => recordId)).size).toBe(acts.length);
    const made = madeIn(acts);
    expect(new Set(made).size).toBe(made.length);
    expect(done.length).toBeGreaterThan(KILLS_AFTER_MS.length);
    const signers = shape === 'cluster' ? ['identity.pub'] : ['standalone.pub'];
    const told = verify(lines).logs.find(({ log }) => log === LOG);
    expect(told).toMatchObject({ from: 0, records: acts.length, signers, findings: [] });
  }, 240_000);

  it('is named where somebody takes it out of the record or changes it', async () => {
    const lines = await bundle();
    const victim = actsIn(lines).find(({ personal }) => personal.arguments.value.name === done[1])!;
    const isVictim = (line: string): boolean => line.includes(victim.recordId);
    const of = ({ code, logs }: Verified): unknown => [code, logs.find(({ log }) => log === LOG)?.findings[0]];
    const found = (what: string): unknown => [1, expect.objectContaining({ what, index: victim.index })];
    expect(of(verify(lines.filter((line) => !isVictim(line))))).toEqual(found('record-removed'));
    const changed = lines.map((line) => (isVictim(line) ? line.replace('principal.create', 'principal.change') : line));
    expect(of(verify(changed))).toEqual(found('record-altered'));
  }, 60_000);
});
