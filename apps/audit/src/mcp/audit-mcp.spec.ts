import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type Bus, createInProcessBus } from '@warder/bus';
import {
  type AuditRecord,
  auditRecordedTopic,
  type PrincipalState,
  principalStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { onBehalfBearer } from '@warder/tokens';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditService } from '../index.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const KEY = 'a-key-of-thirty-two-characters-and-more';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const idOf = (n: number) => `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`;

describe('the MCP server of the audit service', () => {
  let dataDir: string;
  let database: EmbeddedPostgres;
  let bus: Bus;
  let running: RunningHost;
  const clients: Client[] = [];

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'warder-audit-mcp-'));
    database = await startEmbeddedPostgres({ dataDir, ephemeral: true, tcp: { password: 'test' } });
    bus = createInProcessBus({ node: 'audit', log, clock });
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    await tell('usr_auditor', { roles: ['auditor'] });
    await tell('usr_admin', { roles: ['admin'] });
    running = await startServiceForTest(
      auditService,
      { database: { url: database.tcpUrl }, pepper: { current: 'p1', keys: { p1: PEPPER } }, mcpKey: KEY },
      { bus, clock, settings: { internal: { host: '127.0.0.1', port: 0 } } },
    );
    const nowMs = Date.now();
    for (const n of [1, 2, 3]) {
      const record = { ...auditRecordedTopic.example, occurredAtMs: nowMs - n, recordId: idOf(n), sequence: n };
      await bus.publish(auditRecordedTopic, idOf(n), record);
    }
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await running?.stop();
    await bus?.close();
    await database?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const tell = (id: string, change: Partial<PrincipalState>) =>
    bus.publish(principalStateTopic, id, { ...principalStateTopic.example, id, email: `${id}@example.com`, ...change });
  const endpoint = () => `${running.hostFor('audit').internalUrl}/mcp`;
  const connect = async (principalId: string): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1' });
    const headers = { authorization: `Bearer ${onBehalfBearer(KEY, principalId)}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(endpoint()), { requestInit: { headers } }));
    clients.push(client);
    return client;
  };
  const ask = async (client: Client, name: string, args: Record<string, unknown> = {}) => {
    const { content, isError = false } = await client.callTool({ name, arguments: args });
    return { text: (content as { text: string }[])[0]!.text, isError };
  };
  const calls = async (client: Client, args: Record<string, unknown>) =>
    JSON.parse((await ask(client, 'find_calls', args)).text) as { calls: AuditRecord[]; nextCursor: string | null };

  it('offers its questions as read-only tools whose arguments are described', async () => {
    const { tools } = await (await connect('')).listTools();
    expect(tools.map(({ name }) => name)).toEqual(['find_calls', 'get_call', 'who_used']);
    for (const { annotations, description, inputSchema } of tools) {
      expect(annotations).toMatchObject({ readOnlyHint: true });
      expect(description?.length).toBeGreaterThan(20);
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    }
    expect(Object.keys(tools[0]!.inputSchema.properties!)).toEqual(
      expect.arrayContaining(['from', 'to', 'human', 'agent', 'upstream', 'tool', 'text', 'limit', 'cursor']),
    );
  });

  it('answers an auditor what the admin door answers: pages, one record, who used what', async () => {
    const auditor = await connect('usr_auditor');
    await vi.waitFor(async () => expect((await calls(auditor, { kind: 'call' })).calls).toHaveLength(3));
    const first = await calls(auditor, { kind: 'call', limit: 2 });
    const second = await calls(auditor, { kind: 'call', limit: 2, cursor: first.nextCursor });
    expect([...first.calls, ...second.calls].map(({ recordId }) => recordId)).toEqual([1, 2, 3].map(idOf));
    expect(JSON.parse((await ask(auditor, 'get_call', { recordId: idOf(2) })).text)).toMatchObject({ sequence: 2 });
    const used = JSON.parse((await ask(auditor, 'who_used', { upstream: 'everything' })).text);
    expect(used.uses).toMatchObject([{ human: { name: 'Ana Ortiz' }, tool: 'echo', count: 3 }]);
  });

  it('puts each question on record under the name of who asked, refused ones too', async () => {
    const auditor = await connect('usr_auditor');
    await ask(auditor, 'find_calls', { human: 'ana@example.com', code: 'WDR_OF_THIS_TEST' });
    await ask(auditor, 'get_call', { recordId: idOf(99) });
    await vi.waitFor(async () => {
      const { calls: questions } = await calls(auditor, { kind: 'query' });
      const mine = questions.filter(({ principal }) => principal?.id === 'usr_auditor');
      expect(mine.map(({ personal }) => personal?.arguments)).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            value: expect.objectContaining({ human: 'ana@example.com', code: 'WDR_OF_THIS_TEST' }),
          }),
        ]),
      );
      expect(mine.map(({ refusal }) => refusal?.code)).toContain('WDR_RECORD_UNKNOWN');
    });
  });

  it.each(['', 'usr_admin', 'usr_nobody'])('answers no question of "%s", who is no auditor', async (principalId) => {
    const client = await connect(principalId);
    for (const [name, args] of [
      ['find_calls', {}],
      ['get_call', { recordId: idOf(1) }],
      ['who_used', {}],
    ] as const)
      expect(await ask(client, name, args)).toEqual({
        text: 'WDR_ROLE_MISSING: needs the role auditor',
        isError: true,
      });
  });

  it('answers nobody who was an auditor', async () => {
    await tell('usr_gone', { roles: ['auditor'], version: 1 });
    const client = await connect('usr_gone');
    await vi.waitFor(async () => expect((await ask(client, 'find_calls')).isError).toBe(false));
    await tell('usr_gone', { roles: ['auditor'], version: 2, status: 'suspended' });
    await vi.waitFor(async () => expect((await ask(client, 'find_calls')).isError).toBe(true));
  });

  it.each([
    ['find_calls', { colour: 'red' }],
    ['find_calls', { limit: 51 }],
    ['find_calls', { from: 'yesterday' }],
    ['find_calls', { cursor: 'bm9uZQ' }],
    ['get_call', { recordId: 'x' }],
    ['get_call', {}],
    ['who_used', { days: 0 }],
  ])('says what is wrong with %s %j', async (name, args) => {
    const { text, isError } = await ask(await connect('usr_auditor'), name, args);
    expect([isError, text.includes(Object.keys(args)[0] ?? 'recordId')]).toEqual([true, true]);
  });

  it('is for ingress alone: behind a listener of its own, by a bearer of the shared key', async () => {
    const post = (url: string, headers: Record<string, string>, body: string) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
    const good = { authorization: `Bearer ${onBehalfBearer(KEY, 'usr_auditor')}` };
    const wrong = { authorization: `Bearer ${onBehalfBearer(`${KEY}!`, 'usr_auditor')}` };
    const refusals = await Promise.all([
      post(endpoint(), {}, '{}'),
      post(endpoint(), wrong, '{}'),
      fetch(endpoint(), { headers: good }),
      post(endpoint(), good, JSON.stringify('x'.repeat(262_144))),
      post(endpoint(), { ...good, accept: 'application/json, text/event-stream' }, '{'),
      fetch(`${running.url}/mcp`),
      fetch(`${running.hostFor('audit').internalUrl}/admin/audit/calls`, { headers: good }),
    ]);
    expect(refusals.map(({ status }) => status)).toEqual([401, 401, 405, 413, 400, 404, 404]);
  });
});
