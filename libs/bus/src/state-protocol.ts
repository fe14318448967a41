import type { Topic } from '@warder/contracts';
import { BusError, type Replica } from './bus.js';
import { NodePresence } from './node-presence.js';
import { StateOwner } from './state-owner.js';
import { StateReplica } from './state-replica.js';
import type { StateTransport } from './state-transport.js';
import { TopicReplicas } from './topic-replicas.js';

/** Owners, replicas and applied versions of one node: the same on every transport. */
export class StateProtocol {
  private readonly presence: NodePresence;
  private readonly owned = new Map<string, StateOwner>();
  private readonly replicas = new Map<string, TopicReplicas>();

  constructor(private readonly transport: StateTransport) {
    this.presence = new NodePresence(transport);
  }

  replica<M extends { version: number }>(topic: Topic<M>, apply: (key: string, value: M) => void): Promise<Replica> {
    const siblings = this.replicas.get(topic.name) ?? new TopicReplicas(topic.name, this.presence);
    this.replicas.set(topic.name, siblings);
    return new StateReplica(topic, apply, this.transport, this.presence, siblings).start();
  }

  async own(topic: Topic<unknown>): Promise<void> {
    if (this.owned.has(topic.name)) return;
    const owner = new StateOwner(topic, this.transport, this.presence);
    this.owned.set(topic.name, owner);
    await owner.start();
  }

  applied(topic: Topic<unknown>, version: number): void {
    this.presence.setApplied(topic.name, version);
  }

  everyNodeApplied(topic: Topic<unknown>, service: string, version: number, timeoutMs: number): Promise<boolean> {
    return this.presence.everyNodeApplied(topic.name, service, version, timeoutMs);
  }

  async everyNodeRead(topic: Topic<unknown>, service: string, timeoutMs: number): Promise<boolean> {
    const owner = this.owned.get(topic.name);
    if (owner === undefined) throw new BusError('refused', `this node does not own ${topic.name}`);
    return this.presence.everyNodeApplied(topic.name, service, await owner.mark(), timeoutMs);
  }

  async close(): Promise<void> {
    for (const owner of this.owned.values()) owner.stop();
    await this.presence.close();
  }
}
