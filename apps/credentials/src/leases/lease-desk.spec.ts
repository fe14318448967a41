import { type LeaseGranted, type NodeEnrolled, nodeEnrolledTopic } from '@warder/contracts';
import { leaseRequestOf, textOfKey } from '@warder/leases';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { NodeRegistry } from '../nodes/node-registry.js';
import { LeaseDesk } from './lease-desk.js';
import type { Leased } from './lease-source.js';

const NOW_MS = 1_790_000_000_000;
const LEASED: Leased = {
  credential: { kind: 'headers', values: { authorization: 'Bearer canary' } },
  version: 1,
  generation: 1,
  expiresAtMs: null,
};

let granted: LeaseGranted[];
let refusals: [node: string, reason: string][];
let registry: NodeRegistry;
let desk: LeaseDesk;
let asked: number;
/** What the source waits for. */
let gate: Promise<void>;

const identity = generateKeyPairSync('ed25519').privateKey;
const sealing = { id: 'k1', key: textOfKey(generateKeyPairSync('x25519').publicKey) };
const request = (node: string) =>
  leaseRequestOf(
    {
      node,
      requestId: randomUUID(),
      connectionId: 'con_1',
      upstream: 'tickets',
      principalId: '',
      refusedGeneration: null,
      sealing,
      atMs: NOW_MS,
    },
    identity,
  );
const enrolled = (node: string, change: Partial<NodeEnrolled> = {}): NodeEnrolled => ({
  ...nodeEnrolledTopic.example,
  node,
  identity: textOfKey(identity),
  expiresAtMs: NOW_MS + 1,
  ...change,
});

beforeEach(() => {
  [granted, refusals, asked, gate] = [[], [], 0, Promise.resolve()];
  registry = new NodeRegistry();
  for (const node of ['n-1', 'n-2']) registry.apply(node, enrolled(node));
  const leaseOf = async (): Promise<Leased> => {
    asked += 1;
    await gate;
    return LEASED;
  };
  desk = new LeaseDesk({
    sources: [{ owns: () => true, leaseOf }],
    registry,
    isReady: () => true,
    signer: generateKeyPairSync('ed25519').privateKey,
    publish: async (answer) => void granted.push(answer),
    refused: (node, reason) => void refusals.push([node, reason]),
    leaseMs: 900_000,
    wallMs: () => NOW_MS,
  });
});

function closed(): () => void {
  let open = (): void => {};
  gate = new Promise((resolve) => (open = resolve));
  return open;
}

describe('the desk of leases', () => {
  it('gives nothing to a node that was revoked while its lease was had', async () => {
    const open = closed();
    const working = desk.take(request('n-1'));
    registry.apply('n-1', enrolled('n-1', { version: 2, status: 'revoked' }));
    open();
    await working;
    expect(granted.map(({ lease, refusal }) => [lease, refusal])).toEqual([[null, 'node-revoked']]);
  });

  it('works on a bounded number of requests of a node that floods, and on those of others', async () => {
    const open = closed();
    const working = Array.from({ length: 1_010 }, () => desk.take(request('n-1')));
    working.push(desk.take(request('n-2')));
    expect(asked).toBe(1_001);
    open();
    await Promise.all(working);
    expect(refusals).toEqual(Array.from({ length: 10 }, () => ['n-1', 'too-many-requests']));
    await desk.take(request('n-1'));
    expect(granted.filter(({ lease }) => lease !== null)).toHaveLength(1_002);
  });
});
