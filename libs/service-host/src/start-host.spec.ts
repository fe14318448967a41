import 'reflect-metadata';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Body, Controller, Delete, Get, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AdminError, parseBody } from './admin-error.js';
import { HostSettings } from './host-settings.js';
import type { Host, RawHandler, Service } from './service.js';
import type { RunningHost } from './start-host.js';
import { startHost } from './start-host.js';
import { startServiceForTest } from './start-service-for-test.js';

const Greeting = z.strictObject({ name: z.string() });

class SampleController {
  bug(): void {
    throw new Error('the inside story');
  }

  refused(): void {
    throw new AdminError(409, 'WDR_SAMPLE', 'not now');
  }

  greet(body: unknown): { hello: string } {
    return { hello: parseBody(Greeting, body).name };
  }

  forget(): { gone: true } {
    return { gone: true };
  }
}

// Applied by hand: specs are outside the projects whose decorators the test runner compiles.
const descriptorOf = (name: keyof SampleController) =>
  Object.getOwnPropertyDescriptor(SampleController.prototype, name) ?? {};
Controller('admin/sample')(SampleController);
Get('bug')(SampleController.prototype, 'bug', descriptorOf('bug'));
Get('refused')(SampleController.prototype, 'refused', descriptorOf('refused'));
Post()(SampleController.prototype, 'greet', descriptorOf('greet'));
Delete()(SampleController.prototype, 'forget', descriptorOf('forget'));
Body()(SampleController.prototype, 'greet', 0);

const sample = (use: (host: Host) => void = () => {}): Service<object> => ({
  name: 'sample',
  config: z.strictObject({}),
  module: (_config, host) => {
    use(host);
    return { module: class SampleModule {}, controllers: [SampleController] };
  },
});

let running: RunningHost | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

class DialectController {
  greet(body: unknown): { hello: string } {
    return { hello: parseBody(Greeting, body).name };
  }
}
Controller('dialect')(DialectController);
Post()(DialectController.prototype, 'greet', Object.getOwnPropertyDescriptor(DialectController.prototype, 'greet')!);
Body()(DialectController.prototype, 'greet', 0);

/** A service that speaks a dialect at a side door: `word` lets in, refusals are shouted. */
const dialect = (judged: string[]): Service<object> => ({
  name: 'dialect',
  config: z.strictObject({}),
  module: (_config, host) => {
    host.beforeBody(({ url }) => void judged.push(url ?? ''));
    host.sideDoor('/dialect', {
      mediaType: 'application/dialect+json',
      bodyBytesMax: 1_024,
      admit: ({ headers }) => {
        if (headers.authorization !== 'word') throw new AdminError(401, 'WDR_SAMPLE', 'say the word');
      },
      refusal: ({ status, message }) => ({
        body: { shout: message.toUpperCase() },
        headers: { 'x-status': `${status}` },
      }),
    });
    return { module: class DialectModule {}, controllers: [DialectController] };
  },
});

const start = async (use?: (host: Host) => void, bounds: object = {}) => {
  running = await startServiceForTest(sample(use), {}, { settings: { bounds } });
  return running.url;
};
const post = (url: string, body: string, type = 'application/json') =>
  fetch(`${url}/admin/sample`, { method: 'POST', headers: { 'content-type': type }, body });

/** Sends raw bytes and returns all that comes back until the server closes. */
async function exchange(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

describe('a host', () => {
  it('answers health at once and readiness by its checks, naming what fails', async () => {
    let isWell = false;
    const url = await start((host) => host.readiness('replica', () => isWell || 'still reading'));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const unready = await fetch(`${url}/readyz`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toEqual({ status: 'failing', failing: { replica: 'still reading' } });
    isWell = true;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('stays ready while it is degraded, and says so', async () => {
    const url = await start((host) => host.readiness('owner', () => ({ degraded: 'silent' })));
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'degraded', degraded: { owner: 'silent' } }]);
  });

  it('tells Prometheus its figures', async () => {
    const url = await start((host) => host.metrics.counter('warder_sample_total', 'Samples').inc(3));
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('warder_sample_total 3');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it('tells a stranger behind the proxy whether it is ready, and nothing of its inside', async () => {
    const settings = { trustedProxies: ['127.0.0.1'] };
    running = await startServiceForTest(
      sample((host) => host.readiness('replica', () => 'still reading')),
      {},
      { settings },
    );
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    const unready = await fetch(`${running.url}/readyz`, { headers });
    expect([unready.status, await unready.json()]).toEqual([503, { status: 'failing' }]);
    expect((await fetch(`${running.url}/metrics`, { headers })).status).toBe(404);
    expect((await fetch(`${running.url}/metrics`)).status).toBe(200);
  });

  it('tells nothing of its inside, and asks no controller, under a name that is not ours (DNS rebinding)', async () => {
    const url = await start((host) => host.readiness('replica', () => 'still reading'));
    const ask = async (path: string, ...head: string[]) => {
      const { port } = new URL(url);
      const socket = connect(Number(port), '127.0.0.1');
      socket.end([`GET ${path} HTTP/1.1`, ...head, 'Connection: close', '', ''].join('\r\n'));
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      return [Number(text.slice(9, 12)), text.slice(text.indexOf('\r\n\r\n') + 4)];
    };
    const lured = 'Host: rebound.evil.example:8080';
    expect(await ask('/readyz', lured)).toEqual([503, '{"status":"failing"}']);
    expect((await ask('/metrics', lured))[0]).toBe(404);
    expect(await ask('/admin/sample/refused', lured)).toEqual([
      403,
      '{"error":{"code":"WDR_HOST_UNKNOWN","message":"this host is not served here"}}',
    ]);
    expect(await ask('/admin/sample/refused', 'Host: localhost', 'Host: localhost')).toEqual([
      400,
      '{"error":{"code":"WDR_HEADER_REPEATED","message":"Host stands there twice"}}',
    ]);
    expect((await ask('/admin/sample/refused', 'Host: localhost'))[0]).toBe(409);
  });

  it('names every way in', async () => {
    await start((host) => {
      host.mountRaw('/raw', () => {});
      host.mountInternal('/inside', () => {});
    });
    const named = running!.entries().map(({ listener, method, path }) => `${listener} ${method} ${path}`);
    expect(named).toEqual(
      expect.arrayContaining([
        'door * /raw',
        'door * /healthz',
        'internal * /inside',
        'door GET /admin/sample/bug',
        'door POST /admin/sample',
      ]),
    );
  });

  it('hands a raw prefix to its handler, and nothing that only starts alike', async () => {
    const url = await start((host) => host.mountRaw('/mcp', (request, response) => response.end(`raw ${request.url}`)));
    expect(await (await fetch(`${url}/mcp/dev?x=1`)).text()).toBe('raw /mcp/dev?x=1');
    expect((await fetch(`${url}/mcpx`)).status).toBe(404);
  });

  it.each([
    ['refused', 409, { error: { code: 'WDR_SAMPLE', message: 'not now' } }],
    ['bug', 500, { error: { code: 'WDR_INTERNAL', message: 'internal error' } }],
    ['none', 404, { error: { code: 'WDR_PATH_UNKNOWN', message: 'no such path' } }],
    ['%zz', 404, { error: { code: 'WDR_PATH_UNKNOWN', message: 'no such path' } }],
  ])('answers GET %s with %i and one shape, without its inside', async (path, status, body) => {
    const answer = await fetch(`${await start()}/admin/sample/${path}`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual(body);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('takes a request without a body, whatever type it says that nothing has', async () => {
    const url = await start();
    const headers = { 'content-type': 'application/json' };
    const forgotten = await fetch(`${url}/admin/sample`, { method: 'DELETE', headers });
    expect([forgotten.status, await forgotten.json()]).toEqual([200, { gone: true }]);
    const greeted = await fetch(`${url}/admin/sample`, { method: 'POST', headers });
    expect([greeted.status, await greeted.json()]).toMatchObject([400, { error: { code: 'WDR_BODY_INVALID' } }]);
  });

  it('refuses a bad body and names the key', async () => {
    const url = await start(undefined, { bodyBytesMax: 1_024 });
    const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { error: object }).error];
    expect(await codeOf(await post(url, '{"name":"x","colour":1}'))).toEqual([
      400,
      { code: 'WDR_BODY_INVALID', message: 'colour: unknown key' },
    ]);
    expect(await codeOf(await post(url, '{"nam'))).toMatchObject([400, { code: 'WDR_BODY_INVALID' }]);
    expect(await codeOf(await post(url, '{"__proto__":{"name":"x"}}'))).toMatchObject([
      400,
      { code: 'WDR_BODY_INVALID' },
    ]);
    expect(await codeOf(await post(url, '<x/>', 'application/xml'))).toMatchObject([
      415,
      { code: 'WDR_CONTENT_TYPE_UNSUPPORTED' },
    ]);
    expect(await codeOf(await post(url, JSON.stringify({ name: 'x'.repeat(2_000) })))).toMatchObject([
      413,
      { code: 'WDR_BODY_TOO_LARGE' },
    ]);
    expect(await (await post(url, '{"name":"Ana"}')).json()).toEqual({ hello: 'Ana' });
  });

  it('lets go of a client that sends nothing, half a header or half a body', async () => {
    const url = await start(undefined, { headersTimeoutMs: 300, requestTimeoutMs: 300 });
    const silent = exchange(url, '');
    const halfHeader = exchange(url, 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-');
    const halfBody = exchange(
      url,
      'POST /admin/sample HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"na',
    );
    expect(await halfHeader).toContain('408');
    expect(await halfBody).toContain('408');
    await silent;
  });

  it('refuses a header past its bound', async () => {
    const url = await start(undefined, { headerBytesMax: 2_048 });
    expect(await exchange(url, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(4_000)}\r\n\r\n`)).toContain('431');
  });
});

describe('a host that stops', () => {
  it('finishes what runs, then drains in reverse, and accepts nothing new', async () => {
    const order: string[] = [];
    let finish = () => {};
    const url = await start((host) => {
      host.onDrain('first', async () => void order.push('first'));
      host.onDrain('second', async () => void order.push('second'));
      host.mountRaw('/slow', (_, response) => {
        response.write('begun ');
        finish = () => response.end('ended');
        host.draining.addEventListener('abort', () => order.push('draining'));
      });
    });
    const slow = await fetch(`${url}/slow`);
    const stopped = running?.stop();
    await expect(fetch(`${url}/healthz`, { headers: { connection: 'close' } })).rejects.toThrow('fetch failed');
    order.push('request ends');
    finish();
    expect(await slow.text()).toBe('begun ended');
    await stopped;
    expect(order).toEqual(['draining', 'request ends', 'second', 'first']);
  });

  it('leaves a drain or a request that takes too long', async () => {
    const url = await start(
      (host) => {
        host.onDrain('hangs', () => new Promise(() => {}));
        host.mountRaw('/hangs', (_, response) => void response.write('x'));
      },
      { drainTimeoutMs: 50 },
    );
    const answer = await fetch(`${url}/hangs`);
    await running?.stop();
    await expect(answer.text()).rejects.toThrow('terminated');
  });
});

it('keeps what is for other services off the door, and the door off their listener', async () => {
  const handler: RawHandler = (_, response) => void response.end('for services');
  const settings = { internal: { host: '127.0.0.1', port: 0 } };
  running = await startServiceForTest(
    sample((host) => host.mountInternal('/inside', handler)),
    {},
    { settings },
  );
  const inside = running.hostFor('sample').internalUrl!;
  expect(await (await fetch(`${inside}/inside`)).text()).toBe('for services');
  const refused = [`${running.url}/inside`, `${inside}/admin/sample`, `${inside}/healthz`, `${inside}/insider`];
  expect(await Promise.all(refused.map(async (url) => (await fetch(url)).status))).toEqual([404, 404, 404, 404]);
  await running.stop();
  await expect(fetch(`${inside}/inside`)).rejects.toThrow('fetch failed');
});

describe('a host refuses to start', () => {
  const settings = (keys: object) => HostSettings.parse({ bus: { kind: 'in-process' }, ...keys });
  const begin = (keys: object) =>
    startHost({ service: 'sample', settings: settings(keys), module: () => ({ module: class {} }) });

  it('with plain HTTP on an address that others can reach', async () => {
    await expect(begin({ listen: { host: '0.0.0.0', port: 0 } })).rejects.toThrow(
      'listen.host 0.0.0.0 is not loopback',
    );
  });

  it('with an internal listener that others than its services can reach', async () => {
    const internal = { host: '0.0.0.0', port: 0 };
    await expect(begin({ listen: { port: 0 }, internal })).rejects.toThrow('internal.host 0.0.0.0 is not loopback');
  });

  it('on a port that is taken', async () => {
    const { port } = new URL(await start());
    await expect(begin({ listen: { port: Number(port) } })).rejects.toThrow(`127.0.0.1:${port} is already in use`);
  });

  it('with a certificate that cannot be read', async () => {
    const tls = { certificateFile: '/none.crt', keyFile: '/none.key' };
    await expect(begin({ listen: { host: '0.0.0.0', port: 0 }, tls })).rejects.toThrow('tls.certificateFile');
  });
});

describe('a side door', () => {
  const judged: string[] = [];
  const say = async (path: string, body: string, headers: Record<string, string> = {}) => {
    running ??= await startServiceForTest(dialect(judged), {});
    const answer = await fetch(running.url + path, {
      method: 'POST',
      headers: { authorization: 'word', 'content-type': 'application/dialect+json', ...headers },
      body,
    });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };

  it('reads and answers its media type, and JSON by its general name', async () => {
    const type = 'application/dialect+json; charset=utf-8';
    const hello = { status: 201, type, text: '{"hello":"Ana"}' };
    expect(await say('/dialect', '{"name":"Ana"}')).toEqual(hello);
    expect(await say('/dialect', '{"name":"Ana"}', { 'content-type': 'application/json' })).toEqual(hello);
  });

  it('tells every refusal in its own form: of its own judge, of a body, of a path', async () => {
    const shout = async (...args: Parameters<typeof say>) => {
      const { status, text } = await say(...args);
      return [status, text];
    };
    expect(await shout('/dialect', '{}', { authorization: 'other' })).toEqual([401, '{"shout":"SAY THE WORD"}']);
    expect(await shout('/dialect', '{')).toEqual([400, '{"shout":"THE BODY IS NOT VALID JSON"}']);
    expect(await shout('/dialect', '{"name":1}')).toEqual([400, expect.stringContaining('NAME: INVALID INPUT')]);
    const long = JSON.stringify({ name: 'x'.repeat(1_024) });
    for (const type of ['application/json', 'application/dialect+json']) {
      expect((await shout('/dialect', long, { 'content-type': type }))[0]).toBe(413);
    }
    expect(await shout('/dialect/nowhere', '{}')).toEqual([404, '{"shout":"NO SUCH PATH"}']);
  });

  it('is judged by itself alone, and a path that only decodes to it by the others', async () => {
    judged.length = 0;
    await say('/dialect?x', '{"name":"Ana"}');
    await say('/%64ialect', '{"name":"Ana"}');
    await say('/dialects', '{}');
    expect(judged).toEqual(['/%64ialect', '/dialects']);
  });
});
