import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { statement } from './identity.js';

/** What is kept of a join token by who gave it: enough to check a proof, and nothing that reads as the token. */
export interface JoinTokenRecord {
  readonly id: string;
  /** The key of the proof, hex. */
  readonly verifier: string;
}

/** The record of a token: any secret of 32 characters or more. */
export function joinTokenRecord(token: string): JoinTokenRecord {
  const digest = (purpose: string) =>
    createHash('sha256').update(`warder join token ${purpose}\n${token}`).digest('hex');
  return { id: digest('id').slice(0, 16), verifier: digest('verifier') };
}

/** Proof that whoever presents this identity for this node holds the token; it says nothing of the token. */
export function joinProof(verifier: string, node: string, identity: string): string {
  const bytes = statement('join', [node, identity]);
  return createHmac('sha256', Buffer.from(verifier, 'hex')).update(bytes).digest('base64url');
}

/** Compares in constant time. */
export function isJoinProof(verifier: string, node: string, identity: string, proof: string): boolean {
  const wanted = Buffer.from(joinProof(verifier, node, identity));
  const given = Buffer.from(proof);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
