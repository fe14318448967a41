import { z } from 'zod';
import type { Topic } from '../topic.js';
import { KeyText, NameText, SignatureText } from './key-text.js';

/** Why a node gets no lease. Of the first three the connection itself is the reason, of the others the moment or the node. */
export const LeaseRefusal = z.enum([
  'connection-unknown',
  'connection-revoked',
  'reconnect-required',
  'store-unavailable',
  'starting',
  'node-unknown',
  'node-expired',
  'node-revoked',
  'clock-skew',
]);
export type LeaseRefusal = z.infer<typeof LeaseRefusal>;

/** What a lease says in clear; all of it is bound to the sealed part as additional data. */
export const SealedLease = z.object({
  /** The sealing key that it is for. */
  keyId: NameText,
  upstream: NameText,
  /** Of the connection's state: an older one than the node knows is of no use. */
  version: z.int().min(1),
  /** Grows with every change of the secret. */
  generation: z.int().min(1),
  issuedAtMs: z.number(),
  expiresAtMs: z.number(),
  /** X25519, public, made for this one lease. */
  ephemeralKey: KeyText,
  /** AES-256-GCM, the tag at its end, base64url. */
  sealed: z.string().min(1),
});
export type SealedLease = z.infer<typeof SealedLease>;

/** The answer of credentials to one request, or a newer lease for who asked by that request; signed by credentials. */
export const LeaseGranted = z.object({
  node: NameText,
  requestId: NameText,
  connectionId: NameText,
  principalId: z.string().max(200),
  lease: SealedLease.nullable(),
  refusal: LeaseRefusal.nullable(),
  atMs: z.number(),
  signature: SignatureText,
});
export type LeaseGranted = z.infer<typeof LeaseGranted>;

export const leaseGrantedTopic: Topic<LeaseGranted> = {
  name: 'warder.lease.granted.v1',
  key: 'node',
  schema: LeaseGranted,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: 600_000,
  messageBytesMax: 262_144,
  writers: ['credentials'],
  readers: ['ingress'],
  example: {
    node: 'ingress-1',
    requestId: 'b0f1e6a2-3c4d-4e5f-8a9b-0c1d2e3f4a5b',
    connectionId: 'static/everything',
    principalId: '',
    lease: {
      keyId: 'k3f9a1c2',
      upstream: 'everything',
      version: 2,
      generation: 2,
      issuedAtMs: 1_790_000_000_000,
      expiresAtMs: 1_790_000_900_000,
      ephemeralKey: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo',
      sealed: 'p0Xr5Yw3nQ8bV1mK7tZ2cL9dF4gH6jS0aE',
    },
    refusal: null,
    atMs: 1_790_000_000_000,
    signature: '5ZLKlaTqVYbVIvJdMtHfR9YqZ5p9mWq0o5bXoT3P0mUQ5sPzq2m1nX8cFhJ7w4Bv6yKdLeRg0tAuSiNxCzEDBQ',
  },
};
