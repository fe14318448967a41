import { type PartitionAssigner, PartitionAssigners } from 'kafkajs';

/**
 * Round robin, as kafkajs comes, but it gives out nothing while the broker names no partition of a topic. One that was
 * killed and started again says so for a moment; the whole group would then hold no partition, and seem well, until
 * kafkajs looks at the topic again after five minutes.
 */
export const patientAssigner: PartitionAssigner = (config) => {
  const assigner = PartitionAssigners.roundRobin(config);
  return {
    ...assigner,
    assign: async (group) => {
      const unknown = group.topics.find((topic) => config.cluster.findTopicPartitionMetadata(topic).length === 0);
      if (unknown !== undefined) throw new PartitionsUnknownError(unknown);
      return assigner.assign(group);
    },
  };
};

class PartitionsUnknownError extends Error {
  /** By this kafkajs joins the group again, after a pause. */
  readonly type = 'REBALANCE_IN_PROGRESS';

  constructor(topic: string) {
    super(`${topic}: the broker names no partition yet`);
  }
}
