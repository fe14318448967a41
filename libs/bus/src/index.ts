export {
  type BatchBounds,
  type Bus,
  type BusClock,
  BusError,
  type BusLog,
  type BusMessage,
  type GroupLag,
  type MessageRefused,
  type RawEntry,
  type RawMessage,
  type Replica,
  STUCK_BOUNDS,
  type StuckBounds,
  type Subscription,
} from './bus.js';
export type { EventBounds } from './event-topic.js';
export { createInProcessBus, type InProcessBusOptions } from './in-process-bus.js';
export { type AclEntry, aclsOf, applyAcls, groupPrefixOf } from './acls.js';
export { createKafkaBus, type KafkaBusOptions } from './kafka-bus.js';
export { createKafkaClient } from './kafka-client.js';
export type { ProducerBounds } from './kafka-producer.js';
export type { MessageRefusal, Signer, Signing } from './message-guard.js';
export { toTopicConfig } from './kafka-topics.js';
