import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { startServiceForTest } from '@warder/service-host';
import { afterEach, describe, expect, it } from 'vitest';
import { balancerService } from './balancer.module.js';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function node(onRequest: RequestListener): Promise<{ url: string; server: Server; close(): Promise<void> }> {
  const server = createServer(onRequest).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  cleanUps.push(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, close };
}

const named =
  (name: string): RequestListener =>
  (_, response) =>
    void response.setHeader('x-node', name).end(name);

async function balancer(ingress: string[], services: Record<string, string> = {}): Promise<string> {
  const config = { ingress, services, healthIntervalMs: 60_000 };
  const running = await startServiceForTest(balancerService, config, { settings: { bounds: { drainTimeoutMs: 200 } } });
  cleanUps.push(() => running.stop());
  return running.url;
}

const text = async (url: string) => (await fetch(url)).text();

describe('the balancer', () => {
  it('spreads /mcp over the nodes and sends /admin/<service> and /scim to their service', async () => {
    const [one, two, identity] = [await node(named('one')), await node(named('two')), await node(named('identity'))];
    const url = await balancer([one.url, two.url], { identity: identity.url });
    const seen = [await text(`${url}/mcp/dev`), await text(`${url}/mcp/dev`)].toSorted();
    expect(seen).toEqual(['one', 'two']);
    expect(await text(`${url}/admin/identity/users`)).toBe('identity');
    expect(await text(`${url}/scim/v2/Users`)).toBe('identity');
    expect((await fetch(`${url}/scimx`)).status).toBe(404);
    expect((await fetch(`${url}/admin/none/x`)).status).toBe(404);
    expect((await fetch(`${url}/metricsx`)).status).toBe(404);
  });

  it('passes streams of changes as they come, and cuts them when it drains', async () => {
    const silent = await node((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': keep-alive\n\n');
    });
    const config = { ingress: [silent.url], services: {}, healthIntervalMs: 60_000 };
    const bounds = { drainTimeoutMs: 60_000 };
    const running = await startServiceForTest(balancerService, config, { settings: { bounds } });
    const listen = { method: 'POST', headers: { 'mcp-method': 'subscriptions/listen' }, body: '{}' };
    const streams = await Promise.all([fetch(`${running.url}/mcp/dev`), fetch(`${running.url}/mcp/dev`, listen)]);
    const readers = streams.map(({ body }) => body!.getReader());
    for (const reader of readers) expect(Buffer.from((await reader.read()).value!).toString()).toBe(': keep-alive\n\n');
    const cut = Promise.all(readers.map((reader) => expect(reader.read()).rejects.toThrow('terminated')));
    await running.stop();
    await cut;
  });

  it('sends a request elsewhere when a node refuses the connection, body and all', async () => {
    const gone = await node(named('gone'));
    const echo = await node((incoming, response) => void incoming.pipe(response));
    const url = await balancer([gone.url, echo.url]);
    await gone.close();
    for (const round of ['1', '2', '3']) {
      const answer = await fetch(`${url}/mcp/dev`, { method: 'POST', body: round });
      expect(await answer.text()).toBe(round);
    }
  });

  it('never sends a request twice once a byte may have left', async () => {
    let seen = 0;
    const breaks: RequestListener = (incoming) => {
      if (incoming.url === '/mcp/dev') seen += 1;
      incoming.socket.destroy();
    };
    const url = await balancer([(await node(breaks)).url, (await node(breaks)).url]);
    const answer = await fetch(`${url}/mcp/dev`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(502);
    expect(((await answer.json()) as { error: object }).error).toMatchObject({ code: 'WDR_NODE_LOST' });
    expect(seen).toBe(1);
  });

  it('says 503 when no node takes the request', async () => {
    const gone = await node(named('gone'));
    await gone.close();
    expect((await fetch(`${await balancer([gone.url])}/mcp/dev`)).status).toBe(503);
  });

  it('tells the node the client’s own address, never what the client claims', async () => {
    let headers: IncomingMessage['headers'] = {};
    const one = await node((incoming, response) => {
      headers = incoming.headers;
      response.end();
    });
    const url = await balancer([one.url]);
    const asked = request(`${url}/mcp/dev`, {
      headers: { 'x-forwarded-for': '6.6.6.6', connection: 'x-hop', 'x-hop': '1', 'x-end': '2' },
    });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['x-hop']).toBeUndefined();
    expect(headers['x-end']).toBe('2');
    expect(headers.host).toBe(new URL(url).host);
  });

  it('forwards one request for each that came, whatever the client calls hop-by-hop', async () => {
    const urls: (string | undefined)[] = [];
    const one = await node((incoming, response) => {
      if (incoming.url !== '/readyz') urls.push(incoming.url);
      incoming.resume().once('end', () => response.end('done'));
    });
    const url = new URL(await balancer([one.url]));
    // Without its length the body of a DELETE would have no frame, and be read as the next request of the node.
    const inner = `GET /mcp/inner HTTP/1.1\r\nHost: ${url.host}\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`;
    const outer = ['DELETE /mcp/dev HTTP/1.1', `Host: ${url.host}`, 'Connection: close, Content-Length'];
    const socket = connect(Number(url.port), url.hostname);
    socket.write(`${outer.join('\r\n')}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(await text(`${url.href}mcp/after`)).toBe('done');
    expect(urls).toEqual(['/mcp/dev', '/mcp/after']);
  });

  it('streams an answer as it comes, and its end when the client goes', async () => {
    const events = { gone: Promise.resolve([] as unknown[]) };
    const one = await node((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      response.write('data: 1\n\n');
      events.gone = once(response, 'close');
    });
    const leave = new AbortController();
    const answer = await fetch(`${await balancer([one.url])}/mcp/dev`, { signal: leave.signal });
    const first = await answer.body?.getReader().read();
    expect(Buffer.from(first?.value ?? []).toString()).toBe('data: 1\n\n');
    leave.abort();
    await events.gone;
  });

  it('hangs up on the sender of a body that the node reads no further', { timeout: 5_000 }, async () => {
    const refusing = await node((_, response) => void response.writeHead(401, { connection: 'close' }).end('no'));
    const { hostname, port } = new URL(await balancer([refusing.url]));
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    let seen = '';
    socket.on('data', (chunk: string) => (seen += chunk));
    socket.write(`POST /mcp/dev HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 1000000\r\n\r\nhalf`);
    await once(socket, 'close');
    expect(seen).toMatch(/^HTTP\/1.1 401 /);
  });

  it('shows a cut answer as cut', async () => {
    const one = await node((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.destroy());
    });
    const answer = await fetch(`${await balancer([one.url])}/mcp/dev`);
    await expect(answer.text()).rejects.toThrow('terminated');
  });
});
