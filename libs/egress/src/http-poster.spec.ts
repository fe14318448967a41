import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeReceiver, fakeJson } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HttpPoster, type HttpPosterOptions } from './http-poster.js';

const dir = mkdtempSync(join(tmpdir(), 'warder-poster-'));
let tls: { cert: string; key: string };
beforeAll(() => {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const made = ['-subj', '/CN=fake', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', asked.concat(made), { stdio: 'ignore' });
  tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function receive(isTls = false): Promise<FakeReceiver> {
  const receiver = await FakeReceiver.start(() => fakeJson(200, { ok: true }), isTls ? tls : undefined);
  opened.push(() => receiver.stop());
  return receiver;
}

function poster(url: string, options: Partial<HttpPosterOptions> = {}): HttpPoster {
  const made = new HttpPoster(
    {
      origin: new URL(url),
      allowPrivateAddress: true,
      connectionsMax: 2,
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 20_000,
      answerBytesMax: 1_024,
      ...options,
    },
    () => Date.parse('2026-11-26T08:00:00Z'),
  );
  opened.unshift(() => made.close());
  return made;
}

const POST = { path: '/here', headers: { authorization: 'Bearer canary' }, body: 'canary' };

describe('posting to a receiver over TLS', () => {
  it('trusts the authority that was named, and it alone', async () => {
    const { url } = await receive(true);
    expect((await poster(url, { ca: tls.cert }).post(POST)).status).toBe(200);
    await expect(poster(url).post(POST)).rejects.toThrow(/self-signed certificate/);
  });

  it('verifies certificates whatever the environment says', async () => {
    const { url, requests } = await receive(true);
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await expect(poster(url).post(POST)).rejects.toThrow(/self-signed certificate/);
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
    expect(requests).toEqual([]);
  });
});

describe('an exchange', () => {
  it('ends at its time-out, at its signal, at a reset and at an answer past its bound, and names no secret', async () => {
    const { url, faults } = await receive();
    const gaveUp = new AbortController();
    gaveUp.abort();
    faults.push('silent', 'reset-before', 'reset-within', { status: 200, body: 'x'.repeat(1_025) });
    const said: string[] = [];
    const note = (error: Error) => void said.push(`${error.name}: ${error.message}`);
    await poster(url, { requestTimeoutMs: 50 }).post(POST).catch(note);
    const patient = poster(url);
    for (let n = 0; n < 3; n++) await patient.post(POST).catch(note);
    await patient.post(POST, gaveUp.signal).catch(note);
    expect(said).toEqual([
      'PostFailed: no whole answer within 50 ms',
      expect.stringMatching(/^PostFailed: .*(ECONNRESET|UND_ERR_SOCKET)/),
      expect.stringMatching(/^PostFailed: /),
      'PostFailed: the answer exceeds 1024 bytes',
      'PostFailed: given up',
    ]);
    expect(said.join()).not.toContain('canary');
    expect(await patient.post(POST)).toEqual({ status: 200, retryAfterMs: undefined, text: '{"ok":true}' });
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const { url } = await receive();
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
    signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
    const one = poster(url);
    for (let n = 0; n < 5; n++) await one.post(POST, signal);
    expect(listeners).toBe(0);
  });

  it.each([
    ['30', 30_000],
    ['Thu, 26 Nov 2026 08:00:05 GMT', 5_000],
    ['Thu, 26 Nov 2026 07:00:00 GMT', 0],
    ['soon', undefined],
  ])('reads Retry-After: %s', async (value, expected) => {
    const { url, faults } = await receive();
    faults.push({ status: 503, headers: { 'retry-after': value }, body: '' });
    expect((await poster(url).post(POST)).retryAfterMs).toBe(expected);
  });

  it('zips a body where it is asked to', async () => {
    const { url, requests } = await receive();
    await poster(url).post({ ...POST, isGzipped: true });
    expect(requests[0]?.headers['content-encoding']).toBe('gzip');
    expect(requests[0]?.body).toBe('canary');
  });

  it('dials no private address where that was forbidden', async () => {
    const { url, requests } = await receive();
    await expect(poster(url, { allowPrivateAddress: false }).post(POST)).rejects.toThrow('not a public address');
    expect(requests).toEqual([]);
  });
});
