import { parseArgs } from 'node:util';
import { startFixtureUpstream } from './fixture-upstream.js';
import type { FixtureEra } from './fixture-upstream-protocol.js';

// The fixture as a process of its own: prints {"url","pid"} when it listens; a kill point is a real kill -9.
const { values } = parseArgs({
  options: { era: { type: 'string' }, port: { type: 'string' }, ledger: { type: 'string' }, sse: { type: 'boolean' } },
});
const fixture = await startFixtureUpstream({
  era: (values.era ?? 'modern') as FixtureEra,
  port: Number(values.port ?? 0),
  answersBySse: values.sse ?? false,
  die: () => process.kill(process.pid, 'SIGKILL'),
  ...(values.ledger === undefined ? {} : { ledgerFile: values.ledger }),
});
process.stdout.write(`${JSON.stringify({ url: fixture.url, pid: process.pid })}\n`);
process.on('SIGTERM', () => void fixture.close().then(() => process.exit(0)));
// Whoever started it is gone when its input ends: no fixture stays behind a killed test.
process.stdin.resume().on('end', () => process.exit(0));
