import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { createLogger } from '@warder/telemetry';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createUpstream, type UpstreamSettings } from './create-upstream.js';
import type { StdioEntry } from './stdio-entry.js';
import type { InterimMessage, Upstream, UpstreamAnswer } from './upstream.js';

const require = createRequire(import.meta.url);
const log = createLogger('spec', { level: 'silent' });
const toClose: (() => Promise<unknown> | void)[] = [];

afterAll(async () => {
  for (const close of toClose.reverse()) await close();
});

function programOf(name: string, command: string): string {
  const file = require.resolve(`${name}/package.json`);
  return join(
    dirname(file),
    (JSON.parse(readFileSync(file, 'utf8')) as { bin: Record<string, string> }).bin[command] ?? '',
  );
}

function upstreamOf(transport: UpstreamSettings['transport'], stdioEntry?: StdioEntry): Upstream {
  const upstream = createUpstream({
    name: 'real',
    settings: { transport, timeoutMs: 20_000, allowPrivateAddress: true },
    log,
    clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
    ...(stdioEntry === undefined ? {} : { stdioEntry }),
  });
  toClose.push(() => upstream.close());
  return upstream;
}

const textOf = (answer: UpstreamAnswer) =>
  'result' in answer ? (answer.result['content'] as { text: string }[])[0]?.text : answer.error;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** server-everything over streamable HTTP, kept on loopback by a preload: it would listen on every interface. */
async function startEverything(port: number): Promise<ChildProcess> {
  const loopback =
    'import net from "node:net"; const listen = net.Server.prototype.listen;' +
    'net.Server.prototype.listen = function (port, ...rest) { return listen.call(this, Number(port), "127.0.0.1", ...rest.filter((one) => typeof one === "function")); };';
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(loopback)}`,
      programOf('@modelcontextprotocol/server-everything', 'mcp-server-everything'),
      'streamableHttp',
    ],
    { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' },
  );
  const accepts = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true)));
      socket.on('error', () => resolve(false));
    });
  while (child.exitCode === null && !(await accepts())) await new Promise((resolve) => setTimeout(resolve, 50));
  return child;
}

const leave = async (child: ChildProcess) => {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
};

describe('@modelcontextprotocol/server-everything', () => {
  it('is listed and called over streamable HTTP, and again after it was started anew', async () => {
    const port = await freePort();
    let child = await startEverything(port);
    toClose.push(() => leave(child));
    const upstream = upstreamOf({ kind: 'streamable-http', url: `http://127.0.0.1:${port}/mcp` });
    const names = (await upstream.discover()).map((tool) => tool.name);
    expect(names).toContain('echo');
    const said = await upstream.call({ tool: 'echo', args: { message: 'hi' }, timeoutMs: 10_000 });
    expect(textOf(said)).toBe('Echo: hi');
    await leave(child);
    child = await startEverything(port);
    const again = () => upstream.call({ tool: 'echo', args: { message: 'again' }, timeoutMs: 10_000 });
    // The first may meet the broken connection, which is told and not repeated; the forgotten session never shows.
    expect(textOf(await again().catch(again))).toBe('Echo: again');
  });

  it('is listed and called over stdio, progress included', async () => {
    const program = programOf('@modelcontextprotocol/server-everything', 'mcp-server-everything');
    const upstream = upstreamOf({ kind: 'stdio', entry: 'e' }, { command: process.execPath, args: [program, 'stdio'] });
    expect((await upstream.discover()).length).toBeGreaterThan(5);
    const interim: InterimMessage[] = [];
    const answer = await upstream.call({
      tool: 'trigger-long-running-operation',
      args: { duration: 0.2, steps: 2 },
      timeoutMs: 10_000,
      onInterim: (message) => void interim.push(message),
    });
    expect(textOf(answer)).toMatch(/completed/);
    expect(interim.map(({ params }) => params['progress'])).toStrictEqual([1, 2]);
  });
});

describe('@modelcontextprotocol/server-filesystem', () => {
  it('reads a file over stdio', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'warder-files-'));
    toClose.unshift(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, 'note.txt'), 'a note');
    const program = programOf('@modelcontextprotocol/server-filesystem', 'mcp-server-filesystem');
    const upstream = upstreamOf({ kind: 'stdio', entry: 'f' }, { command: process.execPath, args: [program, dir] });
    expect((await upstream.discover()).map((tool) => tool.name)).toContain('read_text_file');
    const answer = await upstream.call({
      tool: 'read_text_file',
      args: { path: join(dir, 'note.txt') },
      timeoutMs: 10_000,
    });
    expect(textOf(answer)).toBe('a note');
  });
});

const mirroredHeaders: unknown[] = [];

/** The reference implementation of the modern era, bridged to node:http. */
async function startModernSdk(): Promise<string> {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'sdk', version: '1.0.0' });
      server.registerTool(
        'greet',
        { description: 'Greets', inputSchema: z.object({ whom: z.string() }) },
        async ({ whom }, ctx) => {
          const progressToken = ctx.mcpReq._meta?.progressToken;
          if (progressToken !== undefined) {
            await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
          }
          return { content: [{ type: 'text', text: `hello ${whom}` }] };
        },
      );
      server.registerTool(
        'mirrored',
        { inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }) },
        ({ region }) => ({ content: [{ type: 'text', text: region }] }),
      );
      return server;
    },
    { legacy: 'reject' },
  );
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      mirroredHeaders.push(request.headers['mcp-param-region']);
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
      const url = `http://${request.headers.host}${request.url}`;
      const body = request.method === 'POST' ? Buffer.concat(chunks) : null;
      void handler.fetch(new Request(url, { method: request.method ?? 'GET', headers, body })).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        for await (const chunk of answer.body ?? []) response.write(chunk);
        response.end();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(() => (server.closeAllConnections(), void server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

describe('@modelcontextprotocol/server (SDK v2) in the modern era', () => {
  it('is listed and called, progress included', async () => {
    const upstream = upstreamOf({ kind: 'streamable-http', url: await startModernSdk() });
    expect((await upstream.discover()).map((tool) => tool.name)).toStrictEqual(['greet', 'mirrored']);
    const interim: InterimMessage[] = [];
    const answer = await upstream.call({
      tool: 'greet',
      args: { whom: 'you' },
      timeoutMs: 10_000,
      onInterim: (message) => void interim.push(message),
    });
    expect(answer).toMatchObject({ result: { resultType: 'complete' } });
    expect(textOf(answer)).toBe('hello you');
    expect(interim).toStrictEqual([{ method: 'notifications/progress', params: { progress: 1 } }]);
  });

  it('gets the arguments that it wants in headers, from a node that has not listed its tools too', async () => {
    const upstream = upstreamOf({ kind: 'streamable-http', url: await startModernSdk() });
    for (const region of ['eu-west', 'Zürich']) {
      const answer = await upstream.call({ tool: 'mirrored', argsText: JSON.stringify({ region }), timeoutMs: 10_000 });
      expect(textOf(answer)).toBe(region);
    }
    // discover, the refused call, tools/list, the call again, the second call: the last two repeat their argument.
    expect(mirroredHeaders.splice(0).slice(-5)).toStrictEqual([
      undefined,
      undefined,
      undefined,
      'eu-west',
      '=?base64?WsO8cmljaA==?=',
    ]);
  });
});
