import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Bus } from '@warder/bus';
import { createLogger } from '@warder/telemetry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BusSigning } from './bus-signing.js';

const log = createLogger('test', { level: 'silent' });

let dir: string;
let nowMs: number;
let isConnected: boolean;
let isReady: boolean;
let isKnown: boolean;
let signing: BusSigning;

/** A broker that may be away, and a registry whose owner may be. */
const bus = {
  isConnected: () => isConnected,
  publish: async () => {},
  replica: async () => ({ isReady: () => isReady, stop: async () => {}, ready: new Promise(() => {}) }),
} as unknown as Bus;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-bus-signing-'));
  const { publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(dir, 'credentials.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  [nowMs, isConnected, isReady, isKnown] = [0, false, false, false];
  const clock = { wallMs: () => Date.now(), monotonicMs: () => nowMs };
  const settings = { keyFile: join(dir, 'no.key'), publicKeysDir: dir, identityFile: join(dir, 'identity.key') };
  signing = new BusSigning({ settings, node: 'n-1', service: 'policy', registrarKey: undefined, clock, log });
  void signing.known.then(() => (isKnown = true));
  signing.start(bus);
});
afterEach(async () => {
  await signing.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Has time pass in steps, each of which is looked at. */
async function pass(ms: number): Promise<void> {
  for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 500) await setTimeout(120);
}

describe('revocations', () => {
  it('are waited for as long as the broker is away: nothing can be read before it', async () => {
    await pass(5_000);
    expect(isKnown).toBe(false);
    isConnected = true;
    await pass(2_000);
    expect(isKnown).toBe(false);
    await pass(2_000);
    await vi.waitFor(() => expect(isKnown).toBe(true));
  });

  it('are waited for no longer once the registrar has said that these are all', async () => {
    isReady = true;
    await vi.waitFor(() => expect(isKnown).toBe(true));
  });
});
