import type { NodePresence } from './node-presence.js';

/** The replicas of one topic in one process: its modules may each have their own, and the node has read what all have. */
export class TopicReplicas {
  private readonly replicas = new Set<{ lastMark(): number }>();

  constructor(
    private readonly topicName: string,
    private readonly presence: NodePresence,
  ) {}

  add(replica: { lastMark(): number }): void {
    this.replicas.add(replica);
  }

  delete(replica: { lastMark(): number }): void {
    this.replicas.delete(replica);
  }

  /** Tells the others the last mark that every replica has come to. */
  sayMark(): void {
    const mark = Math.min(...[...this.replicas].map((each) => each.lastMark()));
    if (mark > 0) this.presence.setApplied(this.topicName, mark);
  }
}
