import { createServer, type Server } from 'node:http';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditRecordedTopic, type AuditRecord } from '@warder/contracts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { guardrailsTry } from './guardrails-try.js';

const ticket = {
  id: 'custom.ticket',
  category: 'pii',
  pattern: String.raw`\bK-\d{6}\b`,
  fires: ['K-123456'],
  passes: ['K-12345'],
};
const inForce = {
  version: 3,
  patterns: [],
  dictionaries: [{ id: 'custom.names', category: 'secret', terms: ['Adler'] }],
  allow: [],
  exact: [{ id: 'custom.staff', values: 2 }],
};
const { example } = auditRecordedTopic;
const recordOf = (id: number, message: string, result: string, more: object = {}): AuditRecord => ({
  ...example,
  recordId: `0193673e-7c1f-7d5e-8a55-00000000000${id}`,
  ...more,
  personal: {
    ...example.personal!,
    arguments: { bytes: 1, value: { message } },
    result: { bytes: 1, value: { content: [{ type: 'text', text: result }] } },
  },
});
const records = [
  recordOf(1, 'see K-123456', 'done, Adler'),
  recordOf(2, 'employee 48-29-13', 'nothing'),
  recordOf(3, 'mail help@example.com', 'ok', { upstream: 'mail' }),
];

let server: Server;
let url: string;
let asked: string[];
let said: string;
const dir = mkdtempSync(join(tmpdir(), 'warder-try-'));

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url}`);
    if (request.headers.authorization !== 'Bearer t') {
      response.writeHead(403).end(JSON.stringify({ error: { code: 'WDR_ROLE_MISSING', message: 'no' } }));
      return;
    }
    const text = request.url!.startsWith('/admin/guardrails/custom')
      ? JSON.stringify(inForce)
      : records.map((record) => JSON.stringify(record)).join('\n');
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
  said = '';
});

const tried = (rules: object, ...more: string[]) => {
  const file = join(dir, 'rules.json');
  writeFileSync(file, JSON.stringify(rules));
  const output = { out: (text: string) => void (said += text), error: (text: string) => void (said += text) };
  return guardrailsTry(['try', file, ...more], { url, token: 't' }, output);
};

it('says which recorded calls would have other findings, by place and never by value', async () => {
  const rules = { patterns: [ticket], exact: [{ id: 'custom.staff', category: 'pii', values: ['482913'] }] };
  expect(await tried(rules, '--days', '2')).toBe(1);
  expect(said.split('\n')).toEqual([
    '3 calls; 0 arguments or results are not whole on record',
    'custom.names: 1 places now, 0 then',
    'custom.staff: 0 places now, 1 then',
    'custom.ticket: 0 places now, 1 then',
    `new custom.ticket ${records[0]!.recordId} everything/echo request "/message" 1`,
    `gone custom.names ${records[0]!.recordId} everything/echo response "/content/0/text" 1`,
    `new custom.staff ${records[1]!.recordId} everything/echo request "/message" 1`,
    '',
  ]);
  expect(said).not.toMatch(/482913|123456|Adler/);
  const from = Number(/from=(\d+)/.exec(asked[1]!)?.[1]);
  expect(Math.round((Date.now() - from) / 86_400_000)).toBe(2);
});

it('says what would be allowed in a tool, and that nothing would change where nothing does', async () => {
  const { dictionaries } = inForce;
  const allow = [{ name: 'mail', detectors: ['pii.email'], tool: 'mail/*' }];
  expect(await tried({ dictionaries, allow }, '--json')).toBe(1);
  expect(JSON.parse(said)).toMatchObject({
    isWhole: true,
    differences: [{ change: 'gone', detector: 'pii.email', tool: 'mail/echo', place: '/message' }],
  });
  said = '';
  expect(await tried({ dictionaries })).toBe(0);
});

it('stops at the bound, and says that there is more', async () => {
  expect(await tried({}, '--records', '1')).toBe(1);
  expect(said).toContain('1 calls, and there are more;');
});

it('says why it could not be tried', async () => {
  expect(await tried({ patterns: [{ ...ticket, id: 'ticket' }] })).toBe(2);
  expect(said).toContain('an id is');
  said = '';
  const output = { out: () => undefined, error: (text: string) => void (said += text) };
  expect(await guardrailsTry(['try', join(dir, 'rules.json')], { url, token: 'x' }, output)).toBe(2);
  expect(await guardrailsTry(['try', join(dir, 'none.json')], { url, token: 't' }, output)).toBe(2);
  expect(await guardrailsTry(['try'], { url, token: 't' }, output)).toBe(2);
  expect(said).toContain('warder guardrails try RULES.json');
});
