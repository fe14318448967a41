import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaseRequestedTopic, nodeAnnouncedTopic, type Topic } from '@warder/contracts';
import { announcementOf, leaseRequestOf, textOfKey } from '@warder/leases';
import type { StartedCluster } from '@warder/testing';
import type { ClusterKafka } from '../../cluster-kafka.js';

const SKEW_MS = 61_000;

/** The key by which an ingress node is known, as whoever stole its disk has it. */
export function stolenKey(cluster: StartedCluster, volume: 'node-1' | 'node-2'): KeyObject {
  return createPrivateKey(readFileSync(join(cluster.volume(volume), 'identity.key')));
}

/** Writes what no node sent: requests for leases and announcements. @returns the reason with which each has to be refused */
export async function writeForgedNodes(
  kafka: ClusterKafka,
  cluster: StartedCluster,
): Promise<[node: string, reason: string][]> {
  const [first, second] = [stolenKey(cluster, 'node-1'), stolenKey(cluster, 'node-2')];
  const own = generateKeyPairSync('ed25519').privateKey;
  const ownSealing = textOfKey(generateKeyPairSync('x25519').publicKey);
  const asked = (node: string, identity: KeyObject, atMs = Date.now()) =>
    leaseRequestOf(
      {
        node,
        requestId: randomUUID(),
        connectionId: 'static/known',
        upstream: 'known',
        principalId: '',
        sealing: { id: 'forged', key: ownSealing },
        refusedGeneration: null,
        atMs,
      },
      identity,
    );
  const [genuine] = await kafka.copiesOf([leaseRequestedTopic.name]);
  const last = genuine!.messages.at(-1)!;
  const requested = JSON.parse(String(last.value)) as ReturnType<typeof asked>;
  const requests = [
    // Of a genuine one: its sealing key is another, and it comes once more as it was.
    { ...requested, sealing: { ...requested.sealing, key: ownSealing } },
    requested,
    asked('ingress-1', own),
    asked('ingress-1', second),
    asked('ingress-2', second, Date.now() + SKEW_MS),
    asked('ingress-9', own),
  ];
  const announced = (node: string, identity: KeyObject, more: { joinToken?: string; predecessor?: KeyObject } = {}) =>
    announcementOf({ node, service: 'ingress', identity, atMs: Date.now(), ...more });
  const announcements = [
    { ...announced('ingress-1', own), node: 'ingress-2' },
    announced('ingress-1', own, { joinToken: 'a-guess-of-at-least-thirty-two-characters' }),
    announced('ingress-1', own, { predecessor: second }),
    announcementOf({ node: 'ingress-1', service: 'ingress', identity: first, atMs: Date.now() - SKEW_MS }),
  ];
  const written = (topic: Topic<unknown>, values: readonly object[]) => ({
    topic: topic.name,
    messages: values.map((value) => ({ key: 'forged', value: JSON.stringify(value) })),
  });
  await kafka.write([written(leaseRequestedTopic, requests), written(nodeAnnouncedTopic, announcements)]);
  return [
    [requested.node, 'signature-wrong'],
    [requested.node, 'request-replayed'],
    ['ingress-1', 'node-unknown'],
    ['ingress-2', 'clock-skew'],
    ['ingress-9', 'node-unknown'],
    ['ingress-2', 'signature-wrong'],
    ['ingress-1', 'join-token-unknown'],
    ['ingress-1', 'predecessor-not-current'],
    ['ingress-1', 'clock-skew'],
  ];
}
