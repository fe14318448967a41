import type { KeyObject } from 'node:crypto';
import type { NodeAnnounced, ServiceName } from '@warder/contracts';
import { isSignedBy, signatureOf, statement, textOfKey } from './identity.js';
import { joinProof, joinTokenRecord } from './join-token.js';

/** What a node has to say for itself. */
export interface Announcing {
  readonly node: string;
  readonly service: ServiceName;
  /** Ed25519, private. */
  readonly identity: KeyObject;
  /** Wall milliseconds. */
  readonly atMs: number;
  /** At first contact; later the identity itself is enough. */
  readonly joinToken?: string | undefined;
  /** The identity that this one follows, private; to change a key. */
  readonly predecessor?: KeyObject | undefined;
}

/** Makes and signs the announcement. */
export function announcementOf(announcing: Announcing): NodeAnnounced {
  const { node, service, atMs, joinToken, predecessor } = announcing;
  const identity = textOfKey(announcing.identity);
  let join: NodeAnnounced['join'] = null;
  if (joinToken !== undefined) {
    const { id, verifier } = joinTokenRecord(joinToken);
    join = { tokenId: id, proof: joinProof(verifier, node, identity) };
  }
  const vouched = predecessor && {
    identity: textOfKey(predecessor),
    signature: signatureOf(predecessor, successionBytes(node, identity, atMs)),
  };
  const unsigned = { node, service, identity, atMs, join, predecessor: vouched ?? null };
  return { ...unsigned, signature: signatureOf(announcing.identity, announcedBytes(unsigned)) };
}

/** Whether the announced identity signed all of it, and its predecessor, where it names one, vouches for it. */
export function isAnnouncementSigned(announced: NodeAnnounced): boolean {
  const { node, identity, atMs, predecessor, signature } = announced;
  if (!isSignedBy(identity, announcedBytes(announced), signature)) return false;
  if (predecessor === null) return true;
  return isSignedBy(predecessor.identity, successionBytes(node, identity, atMs), predecessor.signature);
}

function announcedBytes({
  node,
  service,
  identity,
  atMs,
  join,
  predecessor,
}: Omit<NodeAnnounced, 'signature'>): Buffer {
  const proof = join && [join.tokenId, join.proof];
  const vouched = predecessor && [predecessor.identity, predecessor.signature];
  return statement('node.announced', [node, service, identity, atMs, proof, vouched]);
}

function successionBytes(node: string, identity: string, atMs: number): Buffer {
  return statement('node.succeeded', [node, identity, atMs]);
}
