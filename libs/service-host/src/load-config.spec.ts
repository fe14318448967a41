import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadConfig } from './load-config.js';
import type { Service } from './service.js';

const Config = z.strictObject({
  database: z.strictObject({ url: z.string(), poolMax: z.int().default(5) }),
  peppers: z.record(z.string(), z.string()).default({}),
  certificate: z.string().optional(),
  stdioFile: z.string().optional(),
  failClosedAfterMs: z.union([z.int(), z.literal('never')]).default(900_000),
});
const service: Service<z.infer<typeof Config>> = {
  name: 'sample',
  config: Config,
  module: () => ({ module: class {} }),
};

describe('the configuration of a process', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'warder-config-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const file = (text: string) => {
    const path = join(dir, 'config.yaml');
    writeFileSync(path, text);
    return path;
  };
  const good = 'bus: {kind: in-process}\ndatabase: {url: "postgres://file"}\n';

  it('is a YAML file overlaid by the environment', () => {
    const { config, settings } = loadConfig(service, {
      file: file(good),
      environment: {
        WARDER_DATABASE__URL: 'postgres://environment',
        WARDER_DATABASE__POOL_MAX: '9',
        WARDER_LISTEN__PORT: '0',
        WARDER_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1',
        WARDER_FAIL_CLOSED_AFTER_MS: 'never',
        PATH: '/bin',
      },
    });
    expect(config).toMatchObject({
      database: { url: 'postgres://environment', poolMax: 9 },
      failClosedAfterMs: 'never',
    });
    expect(settings).toMatchObject({ listen: { port: 0 }, trustedProxies: ['10.0.0.0/8', '127.0.0.1'] });
  });

  it('takes a number where a word would do as well', () => {
    const environment = { WARDER_FAIL_CLOSED_AFTER_MS: '30000' };
    expect(loadConfig(service, { file: file(good), environment }).config.failClosedAfterMs).toBe(30_000);
  });

  it('reads a secret from the file that a _FILE variable names, without its last newline', () => {
    const secret = join(dir, 'pepper');
    writeFileSync(secret, '0123\n');
    const { config } = loadConfig(service, {
      file: file(good),
      environment: { WARDER_PEPPERS__P1_FILE: secret, WARDER_STDIO_FILE: '/etc/stdio.yaml' },
    });
    expect(config.peppers).toEqual({ p1: '0123' });
    expect(config.stdioFile).toBe('/etc/stdio.yaml');
  });

  it.each([
    ['an unknown key', { file: `${good}colour: red\n`, environment: {} }, 'colour: unknown key'],
    ['an unknown key below', { file: `${good}log: {levle: info}\n`, environment: {} }, 'log.levle: unknown key'],
    ['an unknown variable', { file: good, environment: { WARDER_DATABSE__URL: 'x' } }, 'databse: unknown key'],
    ['a missing key', { file: 'bus: {kind: in-process}\n', environment: {} }, 'database: missing'],
    ['a missing host key', { file: 'database: {url: x}\n', environment: {} }, 'bus'],
    ['a wrong type', { file: good, environment: { WARDER_LISTEN__PORT: 'abc' } }, 'listen.port: '],
    ['a key given twice', { file: `${good}bus: {kind: in-process}\n`, environment: {} }, 'DUPLICATE_KEY'],
    ['a secret file away', { file: good, environment: { WARDER_PEPPERS__P1_FILE: '/none' } }, 'peppers.p1: '],
  ])('refuses %s and names it in one line', (_, sources, expected) => {
    const load = () => loadConfig(service, { ...sources, file: file(sources.file) });
    expect(load).toThrow(expected);
    expect(load).not.toThrow(/\n/);
  });

  it('never repeats a value, for it may be a secret', () => {
    const environment = { WARDER_BUS: '{kind: kafka, brokers: [a:1], sasl: {username: u, password: [hunter22]}}' };
    const load = () => loadConfig(service, { file: file('database: {url: x}\n'), environment });
    expect(load).toThrow('bus.sasl.password');
    expect(load).not.toThrow('hunter22');
  });
});
