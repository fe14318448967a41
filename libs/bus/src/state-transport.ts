import type { Topic } from '@warder/contracts';
import type { BusClock, BusLog, MessageRefused, RawEntry, RawMessage, Subscription } from './bus.js';

/** What the protocol between owners and replicas needs of a bus. */
export interface StateTransport {
  readonly node: string;
  readonly service: string;
  readonly clock: BusClock;
  readonly log: BusLog;
  send(topic: Topic<unknown>, entries: readonly (RawEntry & { partition?: number })[]): Promise<void>;
  /** Tells of a message that is not applied. */
  refuse(refused: MessageRefused, at: Pick<RawMessage, 'partition' | 'offset'>): void;
  watchRaw(topic: Topic<unknown>, from: 'beginning' | 'end', handler: (raw: RawMessage) => void): Promise<Subscription>;
}

/** The service name of a node that runs every module in one process. */
export const STANDALONE_SERVICE = 'standalone';
