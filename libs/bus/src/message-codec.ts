import type { Topic } from '@warder/contracts';
import type { BusLog, BusMessage, RawMessage } from './bus.js';

/** Keys that start with this belong to the protocol between owner and replica, not to the topic's schema. */
export const CONTROL_KEY_PREFIX = '~';

/**
 * Bytes of one message.
 * @throws ZodError when the topic's schema refuses the message
 */
export function encodeMessage<M>(topic: Topic<M>, message: M): Buffer {
  return Buffer.from(JSON.stringify(topic.schema.parse(message)));
}

/** The message, or `undefined` when the bytes are no JSON or the topic's schema refuses them. */
export function decodeMessage<M>(topic: Topic<M>, value: Buffer): M | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
  const read = topic.schema.safeParse(parsed);
  return read.success ? read.data : undefined;
}

/** A typed message, or `undefined` (said in the log) for control messages, tombstones and what the schema refuses. */
export function toBusMessage<M>(topic: Topic<M>, raw: RawMessage, log: BusLog): BusMessage<M> | undefined {
  if (raw.key === null || raw.key.startsWith(CONTROL_KEY_PREFIX) || raw.value.length === 0) return undefined;
  const value = decodeMessage(topic, raw.value);
  if (value === undefined) {
    log.error(
      { topic: topic.name, partition: raw.partition, offset: raw.offset },
      'a message was refused by its schema',
    );
    return undefined;
  }
  return { key: raw.key, value, timestampMs: raw.timestampMs };
}
