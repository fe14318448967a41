import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInProcessBus, type Bus } from '@warder/bus';
import { type NodeAnnounced, nodeAnnouncedTopic, type NodeEnrolled, nodeEnrolledTopic } from '@warder/contracts';
import { certificateOf, isAnnouncementSigned, textOfKey } from '@warder/leases';
import { createLogger } from '@warder/telemetry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Enrolment } from './enrolment.js';
import { IdentityFile } from './identity-file.js';

const DAY_MS = 86_400_000;
const log = createLogger('test', { level: 'silent' });

let dir: string;
let bus: Bus;
let pushedMs: number;
let announced: NodeAnnounced[];
let enrolment: Enrolment | undefined;
const clock = { wallMs: () => Date.now() + pushedMs, monotonicMs: () => performance.now() };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'warder-enrolment-'));
  pushedMs = 0;
  announced = [];
  bus = createInProcessBus({ node: 'n1', log, clock });
  await bus.watch(nodeAnnouncedTopic, 'beginning', ({ value }) => announced.push(value));
});
afterEach(async () => {
  await enrolment?.stop();
  await bus.close();
  rmSync(dir, { recursive: true, force: true });
});

const path = () => join(dir, 'identity.key');
async function begin(joinToken?: string, registrars: readonly KeyObject[] = []): Promise<IdentityFile> {
  const file = new IdentityFile(path(), 'bus.signing.identityFile');
  enrolment = new Enrolment({ bus, node: 'n1', service: 'ingress', registrars, file, joinToken, clock, log });
  await enrolment.start();
  return file;
}
const enrol = (identity: string, more: Partial<NodeEnrolled> = {}) =>
  bus.publish(nodeEnrolledTopic, 'n1', {
    version: 1,
    status: 'active',
    node: 'n1',
    identity,
    enrolledAtMs: Date.now(),
    expiresAtMs: Date.now() + 90 * DAY_MS,
    service: 'ingress',
    previous: null,
    certificate: null,
    validFromMs: 0,
    ...more,
  });

describe('a node that joins', () => {
  it('announces itself by its token until it is known, and has no identity until then', async () => {
    const file = await begin('a-join-token-of-at-least-32-characters');
    await vi.waitFor(() => expect(announced.length).toBeGreaterThan(0));
    expect(enrolment!.identity()).toBeUndefined();
    expect(announced[0]).toMatchObject({ node: 'n1', identity: textOfKey(file.current), predecessor: null });
    expect(isAnnouncementSigned(announced[0]!)).toBe(true);
    await enrol(textOfKey(file.current));
    await vi.waitFor(() => expect(enrolment!.identity()).toBe(file.current));
  });

  it('says nothing without a token, and is not taken for another node’s or another key’s enrolment', async () => {
    const file = await begin();
    await enrol(textOfKey(file.current), { node: 'n2' });
    await enrol('A'.repeat(43), { version: 2 });
    await vi.waitFor(() => expect(bus.isConnected()).toBe(true));
    expect(enrolment!.identity()).toBeUndefined();
    expect(announced).toEqual([]);
  });

  it('keeps its key over a restart, closed to others', async () => {
    const file = await begin();
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(textOfKey(new IdentityFile(path(), 'bus.signing.identityFile').current)).toBe(textOfKey(file.current));
    chmodSync(path(), 0o644);
    expect(() => new IdentityFile(path(), 'bus.signing.identityFile')).toThrow('can be read by others');
    chmodSync(path(), 0o600);
    writeFileSync(path(), 'no key');
    expect(() => new IdentityFile(path(), 'bus.signing.identityFile')).toThrow('holds no Ed25519 key');
  });
});

describe('a node that is known', () => {
  it('has no identity once it was revoked or its time is over', async () => {
    const file = await begin();
    await enrol(textOfKey(file.current));
    await vi.waitFor(() => expect(enrolment!.identity()).toBeDefined());
    pushedMs = 90 * DAY_MS;
    expect(enrolment!.identity()).toBeUndefined();
    pushedMs = 0;
    expect(enrolment!.identity()).toBeDefined();
    await enrol(textOfKey(file.current), { version: 2, status: 'revoked' });
    await vi.waitFor(() => expect(enrolment!.identity()).toBeUndefined());
  });

  it('stays revoked where an older message of its enrolment comes again, whatever the bus lets through', async () => {
    const file = new IdentityFile(path(), 'bus.signing.identityFile');
    let tell: (name: string, state: NodeEnrolled) => void = () => {};
    const replica: Bus['replica'] = async (_topic, handler) => {
      tell = handler as never;
      return { stop: async () => {}, isReady: () => true } as never;
    };
    const lying = { publish: bus.publish.bind(bus), replica };
    enrolment = new Enrolment({
      bus: lying,
      node: 'n1',
      service: 'ingress',
      registrars: [],
      file,
      joinToken: undefined,
      clock,
      log,
    });
    await enrolment.start();
    const state = { ...nodeEnrolledTopic.example, identity: textOfKey(file.current), expiresAtMs: Date.now() + DAY_MS };
    tell('n1', { ...state, version: 2 });
    expect(enrolment.identity()).toBeDefined();
    tell('n1', { ...state, version: 3, status: 'revoked' });
    tell('n1', { ...state, version: 2 });
    tell('n1', { ...state, version: 3 });
    expect(enrolment.identity()).toBeUndefined();
  });

  it('changes its key after two thirds of its time, and not before the other one is known, over a restart too', async () => {
    const file = await begin();
    const before = file.current;
    await enrol(textOfKey(before));
    pushedMs = 61 * DAY_MS;
    await vi.waitFor(() => expect(announced.length).toBeGreaterThan(0), { timeout: 5_000 });
    const [rotation] = announced;
    expect(rotation!.predecessor?.identity).toBe(textOfKey(before));
    expect(isAnnouncementSigned(rotation!)).toBe(true);
    expect(enrolment!.identity()).toBe(before);
    await enrolment!.stop();
    const after = await begin();
    expect(textOfKey(after.next!)).toBe(rotation!.identity);
    const now = { enrolledAtMs: clock.wallMs(), expiresAtMs: clock.wallMs() + 90 * DAY_MS };
    await enrol(rotation!.identity, { version: 2, ...now });
    await vi.waitFor(() => expect(textOfKey(enrolment!.identity()!)).toBe(rotation!.identity));
    expect(textOfKey(new IdentityFile(path(), 'bus.signing.identityFile').current)).toBe(rotation!.identity);
  });

  it('has its state said again, until that is done, once another key of the registrar certifies it', async () => {
    const [registrar, next] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    const file = await begin(undefined, [registrar.publicKey, next.publicKey]);
    const identity = textOfKey(file.current);
    const times = { issuedAtMs: Date.now(), expiresAtMs: Date.now() + 90 * DAY_MS };
    const by = ({ privateKey }: { privateKey: KeyObject }) =>
      certificateOf({ node: 'n1', service: 'ingress', identity, ...times }, privateKey);
    await enrol(identity, { certificate: by(registrar) });
    await vi.waitFor(() => expect(enrolment!.signer()?.certificate).toBe(by(registrar)));
    const saidBy: (string | undefined)[] = [];
    enrolment!.onRotated(async () => {
      saidBy.push(enrolment!.signer()?.certificate);
      if (saidBy.length === 1) throw new Error('the database is away');
    });
    await enrol(identity, { version: 2, certificate: by(next) });
    await vi.waitFor(() => expect(saidBy).toEqual([by(next), by(next)]), { timeout: 5_000 });
  });
});
