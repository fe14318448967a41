import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot, ensureBuilt } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

const GOOD = {
  WARDER_BUS__KIND: 'in-process',
  WARDER_LISTEN__PORT: '0',
  WARDER_INGRESS: 'http://127.0.0.1:9',
  WARDER_SERVICES: '{}',
};

/** The smallest process on the service host, as its own process: what every service does at its start and end. */
describe('a process of Warder', () => {
  let dir: string;
  let taken: Server;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    ensureBuilt('apps/balancer');
    dir = mkdtempSync(join(tmpdir(), 'warder-main-'));
    taken = createServer((_, response) => void response.write('begun')).listen(0, '127.0.0.1');
    await once(taken, 'listening');
  }, 120_000);
  afterEach(() => void child?.kill('SIGKILL'));
  afterAll(() => {
    taken.closeAllConnections();
    taken.close();
    rmSync(dir, { recursive: true });
  });

  const port = () => (taken.address() as AddressInfo).port;
  function run(environment: Record<string, string>, words: string[] = []) {
    const main = join(checkoutRoot(), 'apps/balancer/dist/main.js');
    const started = spawn(process.execPath, [main, ...words], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    let output = '';
    started.stdout.on('data', (data: Buffer) => (output += data.toString()));
    let errors = '';
    started.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    return {
      process: started,
      ended: once(started, 'exit').then(([code]) => ({ code: code as number | null, errors })),
      url: async () => {
        for (;;) {
          const url = /"url":"(http[^"]+)","msg":"started"/.exec(output)?.[1];
          if (url !== undefined) return url;
          await once(started.stdout, 'data');
        }
      },
    };
  }
  const fileOf = (text: string) => {
    const file = join(dir, 'config.yaml');
    writeFileSync(file, text);
    return file;
  };

  it('drains on SIGTERM and exits 0', async () => {
    const { process, url, ended } = run(GOOD);
    expect((await fetch(`${await url()}/healthz`)).status).toBe(200);
    process.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, errors: '' });
  });

  it('ends at once on a second signal', async () => {
    const { process, url, ended } = run({ ...GOOD, WARDER_INGRESS: `http://127.0.0.1:${port()}` });
    // A call, which is waited for; a stream of changes would be cut at the first signal.
    const running = await fetch(`${await url()}/mcp/dev`, { method: 'POST', body: '{}' });
    process.kill('SIGINT');
    const health = `${await url()}/healthz`;
    // The signal is on its way: until it is there, the door is open.
    await vi.waitFor(() => expect(fetch(health, { headers: { connection: 'close' } })).rejects.toThrow('fetch failed'));
    process.kill('SIGINT');
    expect((await ended).code).toBe(1);
    await expect(running.text()).rejects.toThrow('terminated');
  });

  it.each([
    ['an unknown key', { ...GOOD, WARDER_COLOUR: 'red' }, 'warder balancer: config: colour: unknown key\n'],
    ['a missing key', { ...GOOD, WARDER_INGRESS: undefined }, 'warder balancer: config: ingress: missing\n'],
  ])('refuses to start with %s: one line, exit 1', async (_, environment, line) => {
    const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
    expect(await run(given as Record<string, string>).ended).toEqual({ code: 1, errors: line });
  });

  it('refuses a file that is no YAML and names its line', async () => {
    const { code, errors } = await run(GOOD, ['--config', fileOf('listen:\n  port: [1\n')]).ended;
    expect(code).toBe(1);
    expect(errors).toMatch(/^warder balancer: config: .*config\.yaml:\d: \w+\n$/);
  });

  it('refuses a port that is taken: one line, exit 1', async () => {
    const { code, errors } = await run({ ...GOOD, WARDER_LISTEN__PORT: String(port()) }).ended;
    expect({ code, errors }).toEqual({
      code: 1,
      errors: `warder balancer: config: listen.port: 127.0.0.1:${port()} is already in use\n`,
    });
  });

  it('refuses plain HTTP on an address that others can reach', async () => {
    const { code, errors } = await run({ ...GOOD, WARDER_LISTEN__HOST: '0.0.0.0' }).ended;
    expect(code).toBe(1);
    expect(errors).toContain('listen.host 0.0.0.0 is not loopback');
    expect(errors.split('\n').length).toBe(2);
  });
});
