import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { approvals, APPROVALS_USAGE } from './approvals.js';

const ID = 'apr_0123456789abcdef';
const row = {
  id: ID,
  status: 'pending',
  principalId: 'ana',
  virtualServer: 'dev',
  upstream: 'github',
  tool: 'delete_repository',
  arguments: { value: { name: 'a\u001b[2Jb\u202e' } },
  expiresAtMs: 0,
};
let server: Server;
let url: string;
let said: string[];
let answer: { status: number; body: unknown };
/** What is answered after it, one after the other. */
let pages: unknown[];
let raw: string | undefined;
let isEndless: boolean;
let asked: { request: IncomingMessage; body: string }[];

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(1_048_576, ' ');
}
const output = { out: (text: string) => said.push(text), error: (text: string) => said.push(`! ${text}`) };
const run = (...args: string[]) => approvals(args, { url, token: 'wdr_x' }, output as never);

beforeAll(async () => {
  server = createServer((request, response) => {
    void textOf(request).then((body) => {
      asked.push({ request, body });
      response.writeHead(answer.status, { location: 'http://127.0.0.1:1/' });
      if (isEndless) pipeline(endless(), response, () => {});
      else response.end(raw ?? JSON.stringify(answer.body));
      answer.body = pages.shift() ?? answer.body;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  raw = undefined;
  pages = [];
  isEndless = false;
  said = [];
  asked = [];
  answer = { status: 200, body: row };
});
afterAll(() => void server.close());

describe('warder approvals', () => {
  it('lists what there is, a line each, and writes out what a terminal would obey', async () => {
    answer.body = { approvals: [row] };
    expect(await run('list', '--status', 'pending')).toBe(0);
    expect(asked[0]?.request.url).toBe('/admin/guardrails/approvals?status=pending');
    expect(asked[0]?.request.headers.authorization).toBe('Bearer wdr_x');
    const what = '{"value":{"name":"a\\u001b[2Jb\\u202e"}}';
    expect(said).toEqual([`${ID} pending until 1970-01-01T00:00:00.000Z ana dev github/delete_repository ${what}\n`]);
  });

  it('lists page after page', async () => {
    const second = { ...row, id: 'apr_fedcba9876543210' };
    pages = [{ approvals: [second], cursor: null }];
    answer.body = { approvals: [row], cursor: 'abc' };
    expect(await run('list', '--status', 'pending')).toBe(0);
    const queries = asked.map(({ request }) => new URL(request.url!, url).search);
    expect(queries).toEqual(['?status=pending', '?status=pending&cursor=abc']);
    expect(said.map((line) => line.slice(0, 20))).toEqual([ID, second.id]);
  });

  it('lists JSON that a program reads as it was, whatever an agent hid in it', async () => {
    const hidden = { ...row, tool: 'x\u007f\u009b2J\u200b\u{e0041}\ufe0f\\\u2028' };
    answer.body = { approvals: [hidden] };
    expect(await run('list', '--json')).toBe(0);
    expect(said[0]).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(said[0]!)).toEqual(hidden);
  });

  it('says what is no answer of Warder’s without letting a terminal obey it', async () => {
    raw = '\u001b[2J no JSON';
    expect(await run('list')).toBe(2);
    expect(said.join('')).not.toContain('\u001b');
  });

  it('reads no more of an answer without an end than it takes', async () => {
    isEndless = true;
    expect(await run('list')).toBe(2);
    expect(said).toEqual(['! warder approvals: the answer is too long\n']);
  });

  it.each([
    ['approve', 'approve'],
    ['reject', 'deny'],
  ])('can %s one', async (verb, decision) => {
    expect(await run(verb, ID, '--reason', 'as agreed')).toBe(0);
    const [{ request, body } = {} as never] = asked;
    expect([request.method, request.url]).toEqual(['POST', `/admin/guardrails/approvals/${ID}/decision`]);
    expect(JSON.parse(body)).toEqual({ decision, reason: 'as agreed' });
  });

  it('says what Warder refuses, and exits with 1', async () => {
    answer = { status: 403, body: { error: { code: 'WDR_APPROVAL_FORBIDDEN', message: 'an administrator decides' } } };
    expect(await run('approve', ID, '--reason', 'x')).toBe(1);
    expect(said).toEqual(['! an administrator decides [WDR_APPROVAL_FORBIDDEN]\n']);
  });

  it('takes its token nowhere else: a redirect is followed nowhere', async () => {
    answer = { status: 307, body: {} };
    expect(await run('list')).toBe(2);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['no verb', []],
    ['an unknown one', ['delete', ID]],
    ['no id', ['approve', '--reason', 'x']],
    ['an id that is a path', ['approve', '../../x', '--reason', 'x']],
    ['no reason', ['approve', ID]],
  ])('asks nothing for %s', async (_what, args) => {
    expect(await run(...args)).toBe(2);
    expect([said, asked]).toEqual([[`! ${APPROVALS_USAGE}`], []]);
  });
});
