import { AssignerProtocol, type Cluster, type PartitionMetadata } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { patientAssigner } from './patient-assigner.js';

const TOPIC = 'warder.audit.recorded.v1';
const GROUP = {
  members: [{ memberId: 'one', memberMetadata: Buffer.alloc(0) }],
  topics: [TOPIC],
  userData: Buffer.alloc(0),
};

/** The assigner over a broker that names so many partitions. */
function assignerOf(partitions: number): ReturnType<typeof patientAssigner> {
  const named = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId }) as PartitionMetadata);
  const cluster = { findTopicPartitionMetadata: () => named } as unknown as Cluster;
  return patientAssigner({ cluster } as Parameters<typeof patientAssigner>[0]);
}

describe('the assigner of partitions', () => {
  it('gives every partition to somebody', async () => {
    const [only] = await assignerOf(3).assign(GROUP);
    expect(only?.memberId).toBe('one');
    expect(AssignerProtocol.MemberAssignment.decode(only!.memberAssignment)?.assignment).toEqual({
      [TOPIC]: [0, 1, 2],
    });
  });

  it('makes the group join again while the broker names no partition, instead of giving everybody none', async () => {
    await expect(assignerOf(0).assign(GROUP)).rejects.toMatchObject({ type: 'REBALANCE_IN_PROGRESS' });
  });
});
