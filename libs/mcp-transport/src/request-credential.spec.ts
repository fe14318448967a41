import type { UpstreamCredential } from '@warder/contracts';
import { createLogger } from '@warder/telemetry';
import { type FixtureEra, startFixtureUpstream, StrictAwsService } from '@warder/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createUpstream } from './create-upstream.js';
import type { Upstream, UpstreamAnswer } from './upstream.js';

const log = createLogger('spec', { level: 'silent' });
const toClose: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of toClose.splice(0).reverse()) await one.close();
});

const anas: UpstreamCredential = {
  kind: 'aws-sigv4',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'eu-central-1',
  service: 'aws-mcp',
};
const bens: UpstreamCredential = {
  kind: 'aws-sigv4',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY',
  sessionToken: 'AQoDYXdzEPT//////////wEXAMPLE+tokenof/Ben==',
  region: 'eu-central-1',
  service: 'aws-mcp',
};

async function start(era: FixtureEra, wallMs = () => Date.now(), query = '') {
  const aws = new StrictAwsService('eu-central-1', 'aws-mcp');
  for (const [account, keys] of [
    ['ana', anas],
    ['ben', bens],
  ] as const)
    if (keys.kind === 'aws-sigv4') aws.keys.set(keys.accessKeyId, { account, ...keys });
  const fixture = await startFixtureUpstream({
    era,
    accountOfRequest: (request, body) => aws.accountOf(request, body),
  });
  const settings = {
    transport: { kind: 'streamable-http' as const, url: fixture.url + query },
    timeoutMs: 5_000,
    allowPrivateAddress: true,
  };
  const clock = { monotonicMs: () => performance.now(), wallMs };
  const upstream = createUpstream({ name: 'aws', settings, log, clock });
  toClose.push(fixture, upstream);
  return { aws, fixture, upstream };
}

const echo = (upstream: Upstream, credential?: UpstreamCredential, text = 'hi'): Promise<UpstreamAnswer> =>
  upstream.call({ tool: 'echo', args: { text }, credential, timeoutMs: 5_000 });

describe.each(['modern', 'legacy', 'legacy-2025-06-18'] as const)('requests that are signed (%s)', (era) => {
  it('are each taken by a service that makes the signature itself, streams included', async () => {
    const { aws, fixture, upstream } = await start(era);
    await upstream.discover(undefined, anas);
    await vi.waitFor(() => expect(fixture.listening()).toBe(1));
    await echo(upstream, anas);
    await echo(upstream, bens, 'größer €');
    await echo(upstream, anas);
    expect(fixture.executed().map(({ account }) => account)).toEqual(['ana', 'ben', 'ana']);
    expect(aws.refusals).toEqual([]);
    expect(aws.signatures).toHaveLength(fixture.requests);
  });

  it('cover the query of the upstream’s address', async () => {
    const { aws, fixture, upstream } = await start(era, () => Date.now(), '?z=1&a=b%20c&a=%2F&e');
    await echo(upstream, anas);
    expect(fixture.executed()).toMatchObject([{ account: 'ana' }]);
    expect(aws.refusals).toEqual([]);
  });
});

it('carries nobody’s keys where there are none, and is refused where its clock is wrong', async () => {
  const { aws, fixture, upstream } = await start('modern', () => Date.now() - 301_000);
  await expect(echo(upstream)).rejects.toMatchObject({ reason: 'unauthorized', status: 403 });
  await expect(echo(upstream, anas)).rejects.toMatchObject({ reason: 'unauthorized', status: 403 });
  expect(aws.refusals).toEqual(['no signature of the form', 'too old']);
  expect(fixture.executed()).toEqual([]);
});
