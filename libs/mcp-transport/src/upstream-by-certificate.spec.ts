import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '@warder/contracts';
import { OriginPool } from '@warder/egress';
import {
  certifiedName,
  type FixtureEra,
  type FixtureUpstream,
  startFixtureUpstream,
  TestAuthority,
} from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HttpUpstream } from './http-upstream.js';
import { UPSTREAM_BOUNDS, type UpstreamAnswer } from './upstream.js';
import { UpstreamByCertificate } from './upstream-by-certificate.js';

const dir = mkdtempSync(join(tmpdir(), 'warder-certificates-'));
const people: Record<string, ClientCertificate> = {};
let server: { cert: string; key: string; clientAuthority: string };
const toClose: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  const [authority, stranger] = [await TestAuthority.make(dir), await TestAuthority.make(dir, 'stranger')];
  for (const name of ['ana', 'ben', 'eve']) {
    const files = await (name === 'eve' ? stranger : authority).certify(name);
    const [certificate, key] = [files.certificateFile, files.keyFile].map((file) => readFileSync(file, 'utf8'));
    people[name] = { kind: 'client-certificate', certificate: certificate!, key: key! };
  }
  const own = await authority.certify('localhost');
  const [cert, key, clientAuthority] = [own.certificateFile, own.keyFile, own.caFile].map((file) =>
    readFileSync(file, 'utf8'),
  );
  server = { cert: cert!, key: key!, clientAuthority: clientAuthority! };
});
afterEach(async () => {
  for (const one of toClose.splice(0).reverse()) await one.close();
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Each socket of the server with whom it says that it is of. */
const sockets: { readonly socket: Socket; readonly name: string }[] = [];

async function start(certificatesMax = 10, era: FixtureEra = 'modern') {
  sockets.length = 0;
  const fixture = await startFixtureUpstream({
    era,
    tls: server,
    accountOfRequest: (request) => {
      const name = certifiedName(request);
      if (name !== undefined && !sockets.some(({ socket }) => socket === request.socket))
        sockets.push({ socket: request.socket, name });
      return name;
    },
  });
  const upstream = upstreamAt(fixture.url, certificatesMax);
  toClose.push(fixture, upstream);
  return { fixture, upstream };
}

function upstreamAt(address: string, certificatesMax = 10): UpstreamByCertificate {
  const url = new URL(address);
  const make = (clientCertificate?: ClientCertificate) =>
    new HttpUpstream({
      name: 'fixture',
      url,
      pool: new OriginPool(url, {
        allowPrivateAddress: true,
        ca: server.clientAuthority,
        ...(clientCertificate === undefined ? {} : { clientCertificate }),
      }),
      bounds: UPSTREAM_BOUNDS,
      nowMs: () => performance.now(),
      wallMs: () => Date.now(),
      followsCalls: clientCertificate === undefined,
    });
  return new UpstreamByCertificate('fixture', make, certificatesMax);
}

const call = (upstream: UpstreamByCertificate, credential: ClientCertificate | undefined, tool = 'echo', ms = 0) =>
  upstream.call({ tool, args: ms === 0 ? { text: 'hi' } : { ms }, credential, timeoutMs: 5_000 });
const accounts = (fixture: FixtureUpstream) => fixture.executed().map(({ account }) => account);
const reasonOf = (answer: Promise<UpstreamAnswer>) =>
  answer.then(
    () => 'answered',
    ({ reason }: { reason: string }) => reason,
  );

describe('a client certificate', () => {
  it('is used for calls of its own alone, on connections of its own, also where sessions are resumed', async () => {
    const { fixture, upstream } = await start();
    const { ana, ben } = people;
    // Each round needs more connections than the one before, which are opened with the tickets that each was given.
    for (let calls = 1; calls <= 3; calls += 1)
      await Promise.all(Array.from({ length: calls }).flatMap(() => [call(upstream, ana), call(upstream, ben)]));
    for (const name of ['ana', 'ben']) expect(accounts(fixture).filter((each) => each === name)).toHaveLength(6);
    expect(sockets.filter(({ socket }) => (socket as TLSSocket).isSessionReused()).length).toBeGreaterThan(0);
    expect(new Set(sockets.map(({ name }) => name))).toEqual(new Set(['ana', 'ben']));
    expect(await reasonOf(call(upstream, undefined))).toBe('unreachable');
    expect(fixture.executed()).toHaveLength(12);
  });

  it('that has ended takes its connections with it, idle and busy ones, and nobody else’s', async () => {
    const { fixture, upstream } = await start();
    const { ana, ben } = people;
    const before = { ...ana! };
    await Promise.all([call(upstream, before), call(upstream, ben)]);
    const running = reasonOf(call(upstream, before, 'slow', 60_000));
    const others = call(upstream, ben, 'slow', 300);
    await vi.waitFor(() => expect(fixture.executed()).toHaveLength(4));
    const hers = sockets.filter(({ name }) => name === 'ana').map(({ socket }) => socket);
    const closed = hers.map((socket) => (socket.destroyed ? Promise.resolve() : once(socket, 'close')));
    upstream.endCredential(before);
    expect(await running).toBe('cancelled');
    await Promise.all(closed);
    expect(await others).toHaveProperty('result');
    // A call that had it in hand does not connect with it again.
    expect(await reasonOf(call(upstream, before))).toBe('unauthorized');
    expect(accounts(fixture).filter((name) => name === 'ana')).toHaveLength(2);
    expect(await call(upstream, ana)).toHaveProperty('result');
  });

  it('that the server does not take fails fast after a while, and its breaker is nobody else’s', async () => {
    const { upstream } = await start();
    const { ana, eve } = people;
    for (let i = 0; i < UPSTREAM_BOUNDS.breakerFailures; i += 1)
      expect(await reasonOf(call(upstream, eve))).toBe('unreachable');
    expect(await reasonOf(call(upstream, eve))).toBe('unavailable');
    expect(await call(upstream, ana)).toHaveProperty('result');
  });

  it('makes room by the one that was used least lately, and is refused where all are in use', async () => {
    const { fixture, upstream } = await start(2);
    const { ana, ben } = people;
    const third = { ...ana! };
    await call(upstream, ana);
    await call(upstream, ben);
    await call(upstream, ana);
    const bens = sockets.find(({ name }) => name === 'ben')!.socket;
    const closed = once(bens, 'close');
    await call(upstream, third);
    await closed;
    const running = [call(upstream, ana, 'slow', 300), call(upstream, third, 'slow', 300)];
    await vi.waitFor(() => expect(fixture.executed()).toHaveLength(6));
    expect(await reasonOf(call(upstream, ben))).toBe('unavailable');
    for (const answer of await Promise.all(running)) expect(answer).toHaveProperty('result');
  });

  it('is not shown to a server without TLS', async () => {
    const fixture = await startFixtureUpstream({});
    const upstream = upstreamAt(fixture.url);
    toClose.push(fixture, upstream);
    expect(await reasonOf(call(upstream, people['ana']))).toBe('protocol');
    expect(fixture.requests).toBe(0);
  });

  it.each(['modern', 'legacy'] as const)(
    'that lists the tools hears of changes (%s), one that only calls does not',
    async (era) => {
      const { fixture, upstream } = await start(10, era);
      const told = vi.fn<() => void>();
      upstream.onListChanged(told);
      await call(upstream, people['ana']);
      expect(fixture.listening()).toBe(0);
      await upstream.discover(undefined, people['ben']);
      await vi.waitFor(() => expect(fixture.listening()).toBe(1));
      fixture.set({ addTool: 'later' });
      await vi.waitFor(() => expect(told).toHaveBeenCalled());
      upstream.endCredential(people['ben']!);
      await vi.waitFor(() => expect(fixture.listening()).toBe(0));
      people['ben'] = { ...people['ben']! };
    },
  );
});
