import { Upstream } from '@warder/contracts';
import { createLogger } from '@warder/telemetry';
import { expect, it, vi } from 'vitest';
import { UpstreamPool } from './upstream-pool.js';

it('logs what a child prints without what is secret in it', async () => {
  const lines: string[] = [];
  const log = createLogger('test', { level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const print = 'console.error("key AKIAQ3EGRVZJXK7PLM2N card 4111 1111 1111 1111 printed"); process.stdin.resume()';
  const pool = new UpstreamPool({
    node: 'ingress-1',
    stdioEntries: new Map([['chatty', { command: process.execPath, args: ['-e', print] }]]),
    builtIn: new Map(),
    leases: {
      credentialFor: () => ({ kind: 'none' }),
      environmentFor: () => ({ kind: 'none' }),
      afterRefusal: async () => undefined,
      prefetch() {},
      onChanged() {},
      onEnded() {},
    },
    discoveryEveryMs: 60_000,
    catalogueOf: () => undefined,
    publishCatalogue: async () => undefined,
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
    log,
  });
  pool.apply(new Map([['chatty', Upstream.parse({ transport: { kind: 'stdio', entry: 'chatty' } })]]));
  await vi.waitFor(() => expect(lines.join('')).toContain('printed'), 5_000);
  await pool.close();
  expect(lines.join('')).toContain('key [redacted:secret.aws-access-key] card [redacted:pii.card] printed');
});
