import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot, ensureBuilt, startStandalone, type StartedWarder } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const MAIN = join(checkoutRoot(), 'apps/standalone/dist/main.js');
let dir: string;
let started: StartedWarder | undefined;

beforeAll(() => {
  ensureBuilt('apps/standalone');
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-start-')));
}, 120_000);
afterEach(async () => {
  await started?.stop();
  started = undefined;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Process ids of everything that the process started, itself included. */
function familyOf(pid: number | undefined): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const family = new Set([pid]);
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const [child, parent] of pairs) if (family.has(parent)) family.add(child);
  }
  return [...family].filter((member) => member !== undefined);
}

/** Those that still run after two seconds at most; a zombie does not. */
async function survivorsOf(family: readonly number[]): Promise<string[]> {
  for (let attempt = 0; ; attempt += 1) {
    const lines = execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).trim().split('\n');
    const left = lines.filter((line) => family.includes(Number.parseInt(line, 10)) && !/^\s*\d+\s+Z/.test(line));
    if (left.length === 0 || attempt === 40) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Processes whose command line names the path. */
function processesOf(path: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(path));
}

async function answersTo(warder: StartedWarder): Promise<number> {
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} };
  const answer = await fetch(warder.endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${warder.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      ...body,
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    }),
  });
  await answer.text();
  return answer.status;
}

async function explained({ adminUrl, adminToken }: StartedWarder, tool: string): Promise<unknown> {
  const answer = await fetch(`${adminUrl}/policy/explain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ principal: 'developer@localhost.localdomain', virtualServer: 'dev', tool }),
  });
  return answer.json();
}

async function refusalOf(...flags: string[]): Promise<{ code: number; line: string }> {
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, line: text };
}

describe('standalone', () => {
  it('says how to use it, keeps its data and its tokens, and leaves no process behind', async () => {
    const dataDir = join(dir, 'kept');
    started = await startStandalone({ dataDir });
    const { endpoint, token } = started;
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp\/dev$/);
    expect(await answersTo(started)).toBe(200);
    const output = started.service('standalone').logs();
    for (const line of [endpoint, token, 'claude mcp add --transport http', 'code --add-mcp', 'mcp-remote', '/calls']) {
      expect(output).toContain(line);
    }
    expect(statSync(join(dataDir, 'ready.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'warder/warder.log'), 'utf8')).not.toContain(token);
    const family = familyOf(started.service('standalone').pid);
    // The database and both sample upstreams, at least.
    expect(family.length).toBeGreaterThan(3);
    await started.stop();
    expect(await survivorsOf(family)).toEqual([]);
    started = await startStandalone({ dataDir });
    expect(started.token).toBe(token);
    expect(await answersTo(started)).toBe(200);
    const second = started.service('standalone').logs().slice(output.length);
    expect(second).toContain('Warder is ready');
    expect(second).not.toContain(token);
    expect(await explained(started, 'filesystem__write_file')).toMatchObject({ rule: 'default deny' });
  }, 120_000);

  it('starts again after it was killed, and its children did not outlive it', async () => {
    const dataDir = join(dir, 'killed');
    started = await startStandalone({ dataDir });
    const family = familyOf(started.service('standalone').pid);
    await started.service('standalone').kill('SIGKILL');
    expect(await survivorsOf(family)).toEqual([]);
    await started.service('standalone').restart();
    expect(await answersTo(started)).toBe(200);
  }, 120_000);

  it('takes a policy of one’s own as the whole truth', async () => {
    const configFile = join(dir, 'warder.yaml');
    writeFileSync(configFile, 'virtualServers: {mine: {tools: []}}\ngrants: []\n');
    started = await startStandalone({ dataDir: join(dir, 'mine'), configFile });
    expect(started.endpoint).toMatch(/\/mcp\/mine$/);
    const answer = await fetch(`${started.adminUrl}/policy`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${started.adminToken}`, 'content-type': 'application/json', 'if-match': '*' },
      body: '{}',
    });
    expect(answer.status).toBe(409);
  }, 60_000);

  it('refuses a data directory in use, and leaves its owner alone', async () => {
    const dataDir = join(dir, 'used');
    started = await startStandalone({ dataDir });
    const { code, line } = await refusalOf('--port', '0', '--data-dir', join(dataDir, 'warder'));
    expect(code).toBe(1);
    expect(line).toMatch(/^warder standalone: .* is in use by process \d+\n$/);
    expect(await answersTo(started)).toBe(200);
  }, 60_000);

  it('refuses a port that is taken', async () => {
    const thief = createServer().listen(0, '127.0.0.1');
    await once(thief, 'listening');
    const { port } = thief.address() as AddressInfo;
    const { code, line } = await refusalOf('--port', String(port), '--data-dir', join(dir, 'port'));
    thief.close();
    expect(code).toBe(1);
    expect(line).toBe(`warder standalone: config: listen.port: 127.0.0.1:${port} is already in use\n`);
    expect(processesOf(join(dir, 'port'))).toEqual([]);
  }, 60_000);

  it.each([
    ['an unknown key', 'colour: red\n', 'colour: unknown key'],
    ['an unknown key of a policy', 'grants: []\ncolour: red\n', 'colour'],
    ['no YAML', 'grants: [\n', 'broken.yaml'],
    [
      'a grant of a tool that is no pattern',
      'grants:\n  - {name: a, effect: permit, to: {group: g}, tools: [x]}\n',
      'tools',
    ],
  ])('refuses a file of %s in one line', async (_, text, expected) => {
    const configFile = join(dir, 'broken.yaml');
    writeFileSync(configFile, text);
    const { code, line } = await refusalOf('--port', '0', '--config', configFile, '--data-dir', join(dir, 'broken'));
    expect(code).toBe(1);
    expect(line).toContain(expected);
    expect(line.trimEnd().split('\n')).toHaveLength(1);
    expect(processesOf(join(dir, 'broken'))).toEqual([]);
  });

  it('refuses a data directory that it cannot write, in one line', async () => {
    const file = join(dir, 'file');
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, '');
    const { code, line } = await refusalOf('--port', '0', '--data-dir', join(file, 'below'));
    expect(code).toBe(1);
    expect(line).toBe(`warder standalone: config: --data-dir: cannot write to ${file}/below (ENOTDIR)\n`);
  });
});
