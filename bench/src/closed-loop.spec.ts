import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ClosedLoop } from './closed-loop.js';
import { HttpAnswerReader } from './http-answer-reader.js';
import { RequestTemplate } from './request-template.js';
import { plannedCalls, REFUSED_EVERY } from './workload.js';

describe('reading answers', () => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc';
  const chunked = 'HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n';

  it('cuts them at every place where a connection may', () => {
    const bytes = Buffer.from(whole + chunked + whole);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const reader = new HttpAnswerReader();
      const answers = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
      expect(answers).toEqual([200, 404, 200].map((status) => ({ status, body: 'abc' })));
    }
  });
});

describe('the load', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  const openLoop = async (): Promise<ClosedLoop> => {
    server?.listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    const { port } = server!.address() as AddressInfo;
    const at = { port, path: '/mcp', tokens: ['t'], isGateway: false };
    const templates = plannedCalls(100).map((call) => new RequestTemplate(call, at));
    const loop = new ClosedLoop(port, templates);
    await loop.open(4);
    return loop;
  };

  const slice = async (answer: (id: number) => string) => {
    const seen: { id: number; params: { arguments: unknown } }[] = [];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const message = JSON.parse(text) as (typeof seen)[number];
        seen.push(message);
        response.end(answer(message.id));
      });
    });
    const loop = await openLoop();
    const report = await loop.run(60);
    loop.close();
    return { report, seen };
  };

  it('sends each call under an id of its own and accepts only the answer to it', async () => {
    const { report, seen } = await slice((id) => `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"text":"x"}]}}`);
    expect(report).toMatchObject({ wrong: 0, refused: 0, answered: seen.length });
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    const wrong = await slice((id) => `{"jsonrpc":"2.0","id":${id + 1},"result":{"content":[{"text":"x"}]}}`);
    expect(wrong.report.wrong).toBe(wrong.report.answered);
  });

  it('fails, and waits for nothing, when a target has closed a connection that was idle', async () => {
    server = createServer();
    const loop = await openLoop();
    server.closeAllConnections();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(loop.run(60)).rejects.toThrow('closed a connection');
  });

  it('plans one refusal in twenty, a thousand principals and varied arguments', () => {
    const calls = plannedCalls(4_000);
    expect(calls.filter(({ isRefused }) => isRefused).length).toBe(4_000 / REFUSED_EVERY);
    expect(new Set(calls.map(({ principal }) => principal)).size).toBe(1_000);
    expect(new Set(calls.map(({ argumentsJson }) => argumentsJson)).size).toBeGreaterThan(3_990);
  });
});
