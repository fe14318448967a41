import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureUpstream } from './fixture-upstream.js';
import { readLedger } from './fixture-upstream-ledger.js';
import { startFixtureProcess } from './fixture-upstream-process.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-fixture-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

async function call(url: string, nonce: string, tool = 'echo', more: object = {}): Promise<string | undefined> {
  const headers = { ...more, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool };
  const params = { name: tool, arguments: { nonce, text: 'said' }, _meta: META };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  try {
    return await (await fetch(url, { method: 'POST', headers, body })).text();
  } catch {
    return undefined;
  }
}

describe('the fixture upstream', () => {
  it.each([
    ['before-ledger', [], false],
    ['after-ledger', ['n1'], false],
    ['after-answer', ['n1'], true],
  ] as const)('killed %s leaves the ledger %j and answers: %s', async (killAt, nonces, answers) => {
    const ledgerFile = join(dir, `${killAt}.ledger`);
    const fixture = await startFixtureProcess({ ledgerFile });
    await fixture.control({ killAt });
    const answer = await call(fixture.url, 'n1');
    expect(answer?.includes('said') ?? false).toBe(answers);
    await fixture.kill();
    expect(readLedger(ledgerFile).map(({ nonce }) => nonce)).toStrictEqual(nonces);
  });

  it('takes calls and never answers while it hangs', async () => {
    const fixture = await startFixtureUpstream();
    fixture.set({ hang: true });
    const answer = call(fixture.url, 'h');
    while (fixture.requests === 0) await new Promise((resolve) => setImmediate(resolve));
    await fixture.close();
    expect(await answer).toBeUndefined();
    expect(fixture.executed()).toStrictEqual([]);
  });

  it('writes a duplicate key and numbers past a double as they are', async () => {
    const fixture = await startFixtureUpstream();
    expect(await call(fixture.url, 'd', 'dup-keys')).toMatch(/"text":"clean","text":"key AKIA/);
    expect(await call(fixture.url, 'n', 'numbers')).toContain('{"id":9223372036854775807,"huge":1e400,"zero":-0,');
    expect(fixture.executed()).toStrictEqual([
      { nonce: 'd', tool: 'dup-keys' },
      { nonce: 'n', tool: 'numbers' },
    ]);
    await fixture.close();
  });

  it('writes whose token a call carried where it asks for one, and runs nothing for nobody’s', async () => {
    const fixture = await startFixtureUpstream({ accountOf: (token) => (token === 'hers' ? 'ana' : undefined) });
    expect(await call(fixture.url, 'a', 'echo', { authorization: 'Bearer hers' })).toContain('said');
    for (const headers of [{}, { authorization: 'Bearer his' }, { authorization: 'Basic hers' }])
      expect(await call(fixture.url, 'n', 'echo', headers)).toBe('');
    expect(fixture.executed()).toStrictEqual([{ nonce: 'a', tool: 'echo', account: 'ana' }]);
    await fixture.close();
  });
});
