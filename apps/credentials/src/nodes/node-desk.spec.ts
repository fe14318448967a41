import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type NodeAnnounced, nodeEnrolledTopic } from '@warder/contracts';
import { announcementOf, textOfKey } from '@warder/leases';
import { beforeEach, expect, it } from 'vitest';
import { NodeDesk } from './node-desk.js';
import { NodeRegistry } from './node-registry.js';

const NOW_MS = 1_790_000_000_000;
const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;
const current = newKey();

let admitted: NodeAnnounced[];
let desk: NodeDesk;
/** What the database waits for. */
let open: () => void;

beforeEach(() => {
  admitted = [];
  const gate = new Promise<void>((resolve) => (open = resolve));
  const registry = new NodeRegistry();
  const identity = textOfKey(current);
  registry.apply('n-1', { ...nodeEnrolledTopic.example, node: 'n-1', identity, expiresAtMs: NOW_MS + 1 });
  desk = new NodeDesk({
    registry,
    admit: async (announced) => {
      admitted.push(announced);
      await gate;
      return 'enrolled';
    },
    refused: () => {},
    failed: () => {},
    wallMs: () => NOW_MS,
  });
});

const joinOf = (node: string): NodeAnnounced =>
  announcementOf({
    node,
    service: 'ingress',
    identity: newKey(),
    atMs: NOW_MS,
    joinToken: `a-token-of-${node}-with-thirty-two-characters`,
  });
const changeOf = (node: string, predecessor: KeyObject): NodeAnnounced =>
  announcementOf({ node, service: 'ingress', identity: newKey(), atMs: NOW_MS, predecessor });
const countOf = (name: string): number => admitted.filter(({ node }) => node === name).length;

it('lets an enrolled node change its key however many want to join, and one change at a time', async () => {
  for (let at = 0; at < 300; at += 1) desk.take(joinOf(`noisy-${at}`));
  for (let at = 0; at < 5; at += 1) desk.take(changeOf('n-1', current));
  open();
  await desk.idle();
  expect(countOf('n-1')).toBe(1);
  expect(admitted).toHaveLength(101);
});

it('keeps few announcements under one name, so that another one comes in', async () => {
  for (let at = 0; at < 300; at += 1) desk.take(joinOf('noisy'));
  // Nor does a key that nobody knows make a change of it.
  for (let at = 0; at < 300; at += 1) desk.take(changeOf('n-1', newKey()));
  desk.take(joinOf('n-2'));
  open();
  await desk.idle();
  expect(['noisy', 'n-1', 'n-2'].map(countOf)).toEqual([4, 4, 1]);
});
