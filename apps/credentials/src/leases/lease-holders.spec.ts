import { type LeaseRequested, leaseRequestedTopic } from '@warder/contracts';
import { expect, it } from 'vitest';
import { LeaseHolders } from './lease-holders.js';

const request = (node: string, connectionId: string, upstream = 'tickets'): LeaseRequested => ({
  ...leaseRequestedTopic.example,
  node,
  connectionId,
  upstream,
});
const nodes = (holders: LeaseHolders, connectionId: string, nowMs = 0): string[] =>
  holders.of(connectionId, nowMs).map(({ node, upstream }) => `${node} ${upstream}`);

it('knows who holds a lease until it ends', () => {
  const holders = new LeaseHolders();
  holders.add(request('n-1', 'con_1'), 10);
  holders.add(request('n-1', 'con_1', 'wiki'), 20);
  expect(nodes(holders, 'con_1', 9)).toEqual(['n-1 tickets', 'n-1 wiki']);
  expect(nodes(holders, 'con_1', 10)).toEqual(['n-1 wiki']);
  expect(nodes(holders, 'con_1', 20)).toEqual([]);
  expect(nodes(holders, 'con_1', 0)).toEqual([]);
});

it('forgets of a node that holds too many its own oldest, and nobody else’s', () => {
  const holders = new LeaseHolders(2);
  for (const node of ['n-2', 'n-1']) holders.add(request(node, 'con_1'), 10);
  holders.add(request('n-1', 'con_2'), 10);
  holders.add(request('n-1', 'con_1'), 10);
  holders.add(request('n-1', 'con_3'), 10);
  expect(nodes(holders, 'con_2')).toEqual([]);
  expect(nodes(holders, 'con_1')).toEqual(['n-2 tickets', 'n-1 tickets']);
  holders.add(request('n-1', 'con_4'), 10);
  expect(nodes(holders, 'con_1')).toEqual(['n-2 tickets']);
});
