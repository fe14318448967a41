import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPublicKeys } from './bus-of-settings.js';
import { HostSettings } from './host-settings.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-public-keys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const settings = (): HostSettings['bus'] =>
  HostSettings.shape.bus.parse({
    kind: 'kafka',
    brokers: ['kafka:9092'],
    signing: { keyFile: join(dir, 'credentials.key'), publicKeysDir: dir },
  });

function put(name: string): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeFileSync(join(dir, name), pem);
  return pem;
}
const pems = (keys: readonly KeyObject[]) => keys.map((key) => key.export({ type: 'spki', format: 'pem' }));

describe('public keys of a service', () => {
  it('are its own and the one that takes its place, and nobody else’s', () => {
    const [next, now] = [put('credentials.next.pub'), put('credentials.pub')];
    put('credentials-2.pub');
    put('policy.pub');
    expect(pems(readPublicKeys(settings(), undefined)('credentials'))).toEqual([next, now]);
  });

  it('are those of the process where its services share one, and none where none is configured', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(pems(readPublicKeys(settings(), privateKey)('policy'))).toEqual(pems([createPublicKey(privateKey)]));
    expect(readPublicKeys({ ...settings(), signing: undefined } as never, undefined)('policy')).toEqual([]);
  });

  it('stop who asks for a service that has none', () => {
    expect(() => readPublicKeys(settings(), undefined)('credentials')).toThrow('holds no credentials.pub');
  });
});
