import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { EVERY_TOPIC, isSignedTopic, REGISTRAR, type ServiceName, type Topic } from '@warder/contracts';
import { certificateOf, textOfKey } from '@warder/leases';
import { describe, expect, it } from 'vitest';
import {
  CERTIFICATE_HEADER,
  MessageGuard,
  SIGNATURE_HEADER,
  type SignedMessage,
  signedHeaders,
  type Signer,
} from './message-guard.js';

const NOW_MS = 1_790_000_000_000;
const DAY_MS = 86_400_000;
const registrar = generateKeyPairSync('ed25519');
const next = generateKeyPairSync('ed25519');
const validFrom = new Map<string, number>();
const guard = new MessageGuard(
  {
    signer: () => undefined,
    registrars: [registrar.publicKey, next.publicKey],
    validFromMs: (node) => validFrom.get(node) ?? 0,
    known: Promise.resolve(),
  },
  () => NOW_MS,
);

interface Enrolled {
  readonly issuedAtMs?: number;
  readonly expiresAtMs?: number;
  readonly by?: KeyObject;
}

function enrolled(node: string, service: ServiceName, more: Enrolled = {}): Signer & { certificate: string } {
  const { issuedAtMs = NOW_MS - DAY_MS, expiresAtMs = NOW_MS + DAY_MS, by = registrar.privateKey } = more;
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const certified = { node, service, identity: textOfKey(key), issuedAtMs, expiresAtMs };
  return { key, certificate: certificateOf(certified, by) };
}

function messageOf(topic: Topic<unknown>, signer: Signer, key = 'n-1', topicName = topic.name): SignedMessage {
  const value = Buffer.from(JSON.stringify(topic.example));
  const headers = signedHeaders(signer, topicName, key, value);
  const certificate = headers[CERTIFICATE_HEADER];
  return {
    key,
    value,
    signature: headers[SIGNATURE_HEADER] as Buffer,
    certificate: certificate === undefined ? undefined : String(certificate),
  };
}

const SIGNED = EVERY_TOPIC.filter(isSignedTopic);

it('holds for every topic that carries state, and for the events that answer for a call', () => {
  expect(SIGNED.filter(({ cleanup }) => cleanup === 'compact')).toEqual(
    EVERY_TOPIC.filter(({ cleanup }) => cleanup === 'compact'),
  );
  expect(SIGNED.length).toBeGreaterThan(10);
  for (const topic of SIGNED) expect(topic.writers.length).toBeGreaterThan(0);
});

describe.each(SIGNED.map((topic) => [topic.name, topic] as const))('%s', (_name, topic) => {
  const service = topic.writers[0]!;
  const own = service === REGISTRAR ? { key: registrar.privateKey } : enrolled('n-1', service);
  const foreign = (['ingress', 'identity', 'policy'] as const).find((each) => !topic.writers.includes(each));
  const reasonOf = (message: SignedMessage) => guard.refusalOf(topic, message)?.reason;

  it('takes what each of its writers signed', () => {
    expect(reasonOf(messageOf(topic, own))).toBeUndefined();
    for (const writer of topic.writers) expect(reasonOf(messageOf(topic, enrolled('n-1', writer)))).toBeUndefined();
    expect(reasonOf(messageOf(topic, enrolled('n-1', service, { by: next.privateKey })))).toBeUndefined();
  });

  it('refuses what nobody signed, what was altered, and what was signed for another key or topic', () => {
    const message = messageOf(topic, own);
    expect(reasonOf({ ...message, signature: undefined })).toBe('unsigned');
    expect(reasonOf({ ...message, key: null })).toBe('unsigned');
    const value = Buffer.concat([message.value, Buffer.from(' ')]);
    expect(reasonOf({ ...message, value })).toBe('signature-wrong');
    const moved = messageOf(topic, own, 'n-1', 'warder.other.state.v1');
    expect(reasonOf(moved)).toBe('signature-wrong');
    // Of a topic whose messages stand under their writers' names the key itself says that it is another's.
    const wanted = topic.isKeyedByWriter && service !== REGISTRAR ? 'writer-foreign' : 'signature-wrong';
    expect(reasonOf({ ...message, key: 'n-2' })).toBe(wanted);
  });

  it('refuses a key that the registrar did not certify, or another one than was certified', () => {
    const stranger = generateKeyPairSync('ed25519').privateKey;
    expect(reasonOf(messageOf(topic, { key: stranger }))).toBe('signature-wrong');
    expect(reasonOf(messageOf(topic, enrolled('n-1', service, { by: stranger })))).toBe('certificate-wrong');
    expect(reasonOf(messageOf(topic, { ...enrolled('n-1', service), certificate: 'no.certificate' }))).toBe(
      'certificate-wrong',
    );
    const { certificate } = enrolled('n-1', service);
    expect(reasonOf(messageOf(topic, { key: stranger, certificate }))).toBe('signature-wrong');
  });

  it('refuses a revoked key, one whose time is over, and one of a clock that is far ahead', () => {
    validFrom.set('revoked', Infinity);
    validFrom.set('again', NOW_MS - 1_000);
    expect(reasonOf(messageOf(topic, enrolled('revoked', service), 'revoked'))).toBe('key-revoked');
    expect(reasonOf(messageOf(topic, enrolled('again', service), 'again'))).toBe('key-revoked');
    const since = enrolled('again', service, { issuedAtMs: NOW_MS - 1_000 });
    expect(reasonOf(messageOf(topic, since, 'again'))).toBeUndefined();
    expect(reasonOf(messageOf(topic, enrolled('n-1', service, { expiresAtMs: NOW_MS })))).toBe('certificate-expired');
    const ahead = (ms: number) => messageOf(topic, enrolled('n-1', service, { issuedAtMs: NOW_MS + ms }));
    expect(reasonOf(ahead(60_001))).toBe('certificate-early');
    expect(reasonOf(ahead(59_000))).toBeUndefined();
  });

  it.skipIf(foreign === undefined)('refuses a service that does not write there, however well it signs', () => {
    const message = messageOf(topic, enrolled('n-9', foreign!), 'n-9');
    expect(guard.refusalOf(topic, message)).toEqual({ reason: 'writer-foreign', writer: 'n-9' });
  });

  it.skipIf(!topic.isKeyedByWriter)('refuses a node that speaks under another’s name', () => {
    const message = messageOf(topic, enrolled('n-9', service), 'n-1');
    expect(guard.refusalOf(topic, message)).toEqual({ reason: 'writer-foreign', writer: 'n-9' });
  });
});
