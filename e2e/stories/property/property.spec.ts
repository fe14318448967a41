import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditRecord } from '@warder/contracts';
import {
  type FixtureUpstream,
  readLedger,
  startFixtureUpstream,
  startStandalone,
  type StartedWarder,
} from '@warder/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AdminDoor } from '../../admin-door.js';
import { ledgerViolations } from '../../ledger-rule.js';
import { START_TIMEOUT_MS } from '../../shapes.js';
import { eventually } from '../../wire-agent.js';
import { ACCEPTS, RandomClient, REVISIONS, seeded } from './random-client.js';

const CALLS = 800;
const AT_A_TIME = 10;
const SEED = Number(process.env['WARDER_PROPERTY_SEED'] ?? Date.now() % 2 ** 32);
const UPSTREAMS = ['young', 'old', 'piped'] as const;
const HTTP_TOOLS = ['echo', 'add', 'error', 'secret', 'slow', 'progress', 'sse-split', 'gzip', 'nothing'];
const TOOLS = {
  young: HTTP_TOOLS,
  old: HTTP_TOOLS,
  piped: ['echo', 'echo', 'error', 'error', 'add', 'nothing'],
} as const;
const METHODS = ['tools/call', 'tools/call', 'tools/call', 'tools/list', 'ping', 'server/discover', 'resources/read'];
/** Of a call that reached its upstream; the literal list, so that none can go missing unseen. */
const UP_TO_THE_UPSTREAM = [
  'identify',
  'quota',
  'resolve',
  'authorize',
  'screenRequest',
  'credential',
  'approval',
  'record',
  'upstream',
];

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-property-')));
const pipedLedger = join(dir, 'piped.ledger');
const fixtures: FixtureUpstream[] = [];
let warder: StartedWarder;
let admin: AdminDoor;

beforeAll(async () => {
  fixtures.push(await startFixtureUpstream(), await startFixtureUpstream({ era: 'legacy', answersBySse: true }));
  const server = fileURLToPath(new URL('./stdio-ledger.mjs', import.meta.url));
  const configFile = join(dir, 'standalone.yaml');
  writeFileSync(pipedLedger, '');
  writeFileSync(
    configFile,
    JSON.stringify({ stdio: { piped: { command: process.execPath, args: [server, pipedLedger] } } }),
  );
  warder = await startStandalone({ configFile });
  admin = new AdminDoor(warder);
  const http = (at: number) => ({
    transport: { kind: 'streamable-http' as const, url: fixtures[at]!.url },
    allowPrivateAddress: true,
    definitions: 'hide-changes' as const,
    timeoutMs: 700,
  });
  const transport = { kind: 'stdio' as const, entry: 'piped' };
  const piped = { transport, allowPrivateAddress: false, definitions: 'hide-changes' as const, timeoutMs: 700 };
  const flag = { secret: 'redact', pii: 'redact', injection: 'flag', hidden: 'flag' } as const;
  const tools = UPSTREAMS.map((upstream) => ({ upstream, tool: '*' }));
  const record = { mode: 'async' as const, capture: 'full' as const, tools: {} };
  const strict = { request: { ...flag, pii: 'block' }, response: { ...flag, secret: 'block' } } as const;
  await admin.changePolicy(() => ({
    upstreams: { young: http(0), old: http(1), piped },
    virtualServers: {
      open: { description: '', tools, guardrails: { request: flag, response: flag }, record },
      strict: { description: '', tools, guardrails: strict, record },
    },
    grants: [
      { name: 'all', effect: 'permit', to: { group: 'callers' }, tools: ['*/*'] },
      { name: 'no-add', effect: 'forbid', to: { group: 'callers' }, tools: ['*/add'] },
    ],
    limit: { callsPerMinute: 10_000_000, burst: 1_000_000 },
  }));
}, START_TIMEOUT_MS);

afterAll(async () => {
  await warder?.stop();
  for (const fixture of fixtures) await fixture.close();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

const ledgers = () => ({
  young: fixtures[0]!.executed(),
  old: fixtures[1]!.executed(),
  piped: readLedger(pipedLedger),
});
const endpoint = (virtualServer: string) => warder.endpoint.replace(/[^/]+$/, virtualServer);

it('lets nothing into a ledger without one record in which every phase is stamped', async () => {
  console.log(`property: seed ${SEED} (repeat with WARDER_PROPERTY_SEED=${SEED})`);
  const pick = seeded(SEED);
  const oneOf = <T>(of: readonly T[]): T => of[pick(of.length)]!;
  const granted = await admin.member({ name: 'Granted', groups: ['callers'] });
  const strangers = [(await admin.member({ name: 'Ungranted', groups: [] })).token, 'wdr_nobody'];
  await eventually('every upstream is listed and the token known', async () => {
    const settings = { endpoint: endpoint('open'), token: granted.token, accept: ACCEPTS[0] } as const;
    const client = new RandomClient({ ...settings, revision: '2026-07-28' });
    const nonces = UPSTREAMS.map((upstream) => `ready-${upstream}-${performance.now()}`);
    const call = (at: number) => ({ name: `${UPSTREAMS[at]}__echo`, arguments: { nonce: nonces[at] } });
    for (const at of UPSTREAMS.keys()) await client.ask('tools/call', call(at));
    return Object.values(ledgers()).every((ledger) => ledger.some(({ nonce }) => nonces.includes(nonce ?? '')));
  });

  const notGranted = new Set<string>();
  const revisionOf = new Map<string | null, string>();
  const run = async (at: number): Promise<void> => {
    const token = oneOf([...Array<string>(4).fill(granted.token), ...strangers]);
    const virtualServer = oneOf(['open', 'open', 'strict', 'none']);
    const revision = oneOf(REVISIONS);
    const method = oneOf(METHODS);
    const upstream = oneOf(UPSTREAMS);
    const name = `${upstream}__${oneOf(TOOLS[upstream])}`;
    const text = oneOf(['hi', 'write to ana@example.com', 'line\nline']);
    const meta = oneOf([{}, { _meta: { progressToken: at } }]);
    const accept = oneOf(ACCEPTS);
    const leavesAfterMs = oneOf([undefined, undefined, undefined, undefined, 5, 40]);
    const nonce = `p${at}`;
    if (token !== granted.token || name.endsWith('__add') || virtualServer === 'none') notGranted.add(nonce);
    revisionOf.set(nonce, revision);
    const client = new RandomClient({ endpoint: endpoint(virtualServer), token, revision, accept });
    await client.open();
    const params = method === 'tools/call' ? { name, arguments: { nonce, text, ms: 1_500, n: 2 }, ...meta } : meta;
    const signal = leavesAfterMs === undefined ? undefined : AbortSignal.timeout(leavesAfterMs);
    await client.ask(method, params, signal);
  };
  for (let from = 0; from < CALLS; from += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, at) => run(from + at)));
  }

  const records = new Map<string, AuditRecord[]>();
  let violations: string[] = [];
  await eventually('records and ledgers agree', async () => {
    violations = [];
    for (const [upstream, ledger] of Object.entries(ledgers())) {
      records.set(upstream, await admin.records({ upstream, kind: 'call' }));
      violations.push(...ledgerViolations(ledger, records.get(upstream) ?? []));
    }
    return violations.length === 0;
  }).catch(() => undefined);
  expect(violations).toEqual([]);

  for (const [upstream, ledger] of Object.entries(ledgers())) {
    const revisions = new Set(ledger.map(({ nonce }) => revisionOf.get(nonce)));
    expect([...revisions]).toEqual(expect.arrayContaining([...REVISIONS]));
    expect(ledger.filter(({ nonce }) => notGranted.has(nonce ?? ''))).toEqual([]);
    for (const { nonce } of ledger) {
      const [record] = records
        .get(upstream)!
        .filter((each) => JSON.stringify(each.personal?.arguments).includes(`"${nonce}"`));
      expect(record).toMatchObject({ decision: 'permit', principal: { id: granted.principalId }, rule: 'all' });
      const phases = record?.outcome === 'success' ? [...UP_TO_THE_UPSTREAM, 'screenResponse'] : UP_TO_THE_UPSTREAM;
      expect(Object.keys(record!.phasesUs)).toEqual(expect.arrayContaining([...phases, 'total']));
    }
  }
}, 180_000);
