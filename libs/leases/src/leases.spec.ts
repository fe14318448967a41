import { generateKeyPairSync } from 'node:crypto';
import type { LeaseGranted } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import {
  announcementOf,
  grantLease,
  identityOfPem,
  isAnnouncementSigned,
  isGrantSigned,
  isJoinProof,
  isLeaseRequestSigned,
  joinProof,
  joinTokenRecord,
  leaseRequestOf,
  openLease,
  refuseLease,
  textOfKey,
} from './index.js';

const node = generateKeyPairSync('ed25519').privateKey;
const other = generateKeyPairSync('ed25519').privateKey;
const credentials = generateKeyPairSync('ed25519');
const sealing = generateKeyPairSync('x25519');
const CANARY = 'Bearer canary-3b9e';
const UNOPENED = 'unable to authenticate data';
const TOKEN = 'a-join-token-of-at-least-32-characters';

const request = leaseRequestOf(
  {
    node: 'n1',
    requestId: 'r1',
    connectionId: 'static/files',
    upstream: 'files',
    principalId: '',
    sealing: { id: 'k1', key: textOfKey(sealing.publicKey) },
    refusedGeneration: null,
    atMs: 1_000,
  },
  node,
);
const terms = { version: 2, generation: 7, issuedAtMs: 1_000, expiresAtMs: 901_000 };
const credential = { kind: 'headers' as const, values: { authorization: CANARY } };
const granted = grantLease(request, { ...terms, credential }, credentials.privateKey, 1_000);

describe('a sealed lease', () => {
  it('opens with the key that it was sealed to, and holds its secret in no readable form', () => {
    expect(openLease(granted, sealing.privateKey)).toEqual(credential);
    const text = JSON.stringify(granted);
    for (const form of ['utf8', 'base64', 'base64url', 'hex'] as const)
      expect(text).not.toContain(Buffer.from(CANARY).toString(form).slice(0, 16));
  });

  it('opens with no other key', () => {
    expect(() => openLease(granted, generateKeyPairSync('x25519').privateKey)).toThrow(UNOPENED);
  });

  const altered: [string, (grant: LeaseGranted, lease: NonNullable<LeaseGranted['lease']>) => LeaseGranted][] = [
    ['node', (grant) => ({ ...grant, node: 'n2' })],
    ['key id', (grant, lease) => ({ ...grant, lease: { ...lease, keyId: 'k2' } })],
    ['principal', (grant) => ({ ...grant, principalId: 'usr_2' })],
    ['connection', (grant) => ({ ...grant, connectionId: 'static/other' })],
    ['upstream', (grant, lease) => ({ ...grant, lease: { ...lease, upstream: 'other' } })],
    ['version', (grant, lease) => ({ ...grant, lease: { ...lease, version: 3 } })],
    ['generation', (grant, lease) => ({ ...grant, lease: { ...lease, generation: 8 } })],
    ['start', (grant, lease) => ({ ...grant, lease: { ...lease, issuedAtMs: 2_000 } })],
    ['end', (grant, lease) => ({ ...grant, lease: { ...lease, expiresAtMs: 9_901_000 } })],
    ['request', (grant) => ({ ...grant, requestId: 'r2' })],
    ['ciphertext', (grant, lease) => ({ ...grant, lease: { ...lease, sealed: `A${lease.sealed.slice(1)}B` } })],
    ['nothing but a cut tag', (grant, lease) => ({ ...grant, lease: { ...lease, sealed: lease.sealed.slice(0, -4) } })],
  ];
  it.each(altered)('opens no more, and is not signed any more, with another %s', (_what, alter) => {
    const forged = alter(granted, granted.lease!);
    expect(() => openLease(forged, sealing.privateKey)).toThrow(UNOPENED);
    expect(isGrantSigned(forged, credentials.publicKey)).toBe(false);
  });

  it('is of credentials alone: whoever knows the sealing key could seal, and cannot sign', () => {
    expect(isGrantSigned(granted, credentials.publicKey)).toBe(true);
    const forged = grantLease(request, { ...terms, credential }, other, 1_000);
    expect(openLease(forged, sealing.privateKey)).toEqual(credential);
    expect(isGrantSigned(forged, credentials.publicKey)).toBe(false);
  });

  it('is no two times the same bytes', () => {
    const again = grantLease(request, { ...terms, credential }, credentials.privateKey, 1_000);
    expect(again.lease!.sealed).not.toBe(granted.lease!.sealed);
    expect(again.lease!.ephemeralKey).not.toBe(granted.lease!.ephemeralKey);
  });
});

it('signs a refusal, which cannot be made another one', () => {
  const refused = refuseLease(request, 'starting', credentials.privateKey, 5);
  expect(isGrantSigned(refused, credentials.publicKey)).toBe(true);
  expect(isGrantSigned({ ...refused, refusal: 'connection-revoked' }, credentials.publicKey)).toBe(false);
  expect(() => openLease(refused, sealing.privateKey)).toThrow('no lease');
});

it('knows a request of which anything was altered, its sealing key above all', () => {
  expect(isLeaseRequestSigned(request)).toBe(true);
  const mine = { id: 'k1', key: textOfKey(generateKeyPairSync('x25519').publicKey) };
  for (const change of [
    { sealing: mine },
    { sealing: { ...request.sealing, id: 'k9' } },
    { node: 'n2' },
    { connectionId: 'static/other' },
    { upstream: 'other' },
    { principalId: 'usr_2' },
    { requestId: 'r2' },
    { refusedGeneration: 7 },
    { atMs: 2_000 },
    { identity: textOfKey(other) },
  ])
    expect(isLeaseRequestSigned({ ...request, ...change })).toBe(false);
  expect(isLeaseRequestSigned({ ...request, identity: 'A'.repeat(43) })).toBe(false);
});

describe('an announcement', () => {
  it('proves the join token without carrying it, for this node and this key alone', () => {
    const announced = announcementOf({ node: 'n1', service: 'ingress', identity: node, atMs: 1, joinToken: TOKEN });
    expect(isAnnouncementSigned(announced)).toBe(true);
    const { id, verifier } = joinTokenRecord(TOKEN);
    expect(announced.join?.tokenId).toBe(id);
    const proof = announced.join?.proof ?? '';
    expect(isJoinProof(verifier, 'n1', textOfKey(node), proof)).toBe(true);
    expect(isJoinProof(verifier, 'n2', textOfKey(node), proof)).toBe(false);
    expect(isJoinProof(verifier, 'n1', textOfKey(other), proof)).toBe(false);
    expect(isJoinProof(joinTokenRecord(`${TOKEN}x`).verifier, 'n1', textOfKey(node), proof)).toBe(false);
    expect(JSON.stringify(announced)).not.toContain(TOKEN);
    expect(JSON.stringify(announced)).not.toContain(verifier);
    expect(joinProof(verifier, 'n1', textOfKey(node))).toBe(proof);
  });

  it('of a new key is vouched for by the key before it', () => {
    const announced = announcementOf({ node: 'n1', service: 'ingress', identity: other, atMs: 1, predecessor: node });
    expect(announced.predecessor?.identity).toBe(textOfKey(node));
    expect(isAnnouncementSigned(announced)).toBe(true);
    const stolen = announcementOf({ node: 'n2', service: 'ingress', identity: other, atMs: 1 });
    expect(isAnnouncementSigned({ ...stolen, predecessor: announced.predecessor })).toBe(false);
  });

  it('is not signed any more once anything in it is changed', () => {
    const announced = announcementOf({ node: 'n1', service: 'ingress', identity: node, atMs: 1, joinToken: TOKEN });
    const changes = [{ node: 'n2' }, { service: 'identity' as const }, { atMs: 2 }, { join: null }];
    for (const change of [...changes, { identity: textOfKey(other) }])
      expect(isAnnouncementSigned({ ...announced, ...change })).toBe(false);
  });
});

it('takes an Ed25519 key for an identity and no other', () => {
  const pem = (key: typeof node) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  expect(textOfKey(identityOfPem(pem(node)))).toBe(textOfKey(node));
  expect(() => identityOfPem(pem(sealing.privateKey))).toThrow('not an Ed25519 key');
});
