import { z } from 'zod';

/** A process that may write to or read from a topic; its Kafka user carries the same name. */
export const ServiceName = z.enum(['ingress', 'identity', 'policy', 'credentials', 'guardrails', 'audit']);
export type ServiceName = z.infer<typeof ServiceName>;

/** Who may read: a service, or what fetches events for a SIEM, whose Kafka user is `siem`. */
export type ReaderName = ServiceName | 'siem';

/**
 * One topic of the bus. `name` is `warder.<noun>.<fact>.v<major>`; ACLs, `docs/topics.md` and the topics that the
 * admin client makes are all derived from these values.
 */
export interface Topic<Message> {
  readonly name: string;
  /** What the message key is, in words. */
  readonly key: string;
  readonly schema: z.ZodType<Message>;
  readonly cleanup: 'compact' | 'delete';
  /** Events that must be their writer's own, as a yes to a call is; state always is. */
  readonly isSigned?: true;
  /** Versions are its writers' clocks, which differ: one that is less than a minute older is nobody's attempt. */
  readonly isVersionedByClock?: true;
  /** Each node writes under its own name: the key of a message is the node that signed it. */
  readonly isKeyedByWriter?: true;
  readonly partitions: number;
  /** Milliseconds a message is kept, or `FOR_EVER`; `null` for a compacted topic. */
  readonly retentionMs: number | null;
  /** Bytes of one message at most, after compression. */
  readonly messageBytesMax: number;
  readonly writers: readonly ServiceName[];
  readonly readers: readonly ReaderName[];
  readonly example: Message;
}

/** Whether the bus signs the topic's messages, and reads none that one of its writers did not sign. */
export function isSignedTopic({ cleanup, isSigned }: Pick<Topic<unknown>, 'cleanup' | 'isSigned'>): boolean {
  return cleanup === 'compact' || isSigned === true;
}

/** Retention without an end, as Kafka says it. */
export const FOR_EVER = -1;

export const EVERY_SERVICE: readonly ServiceName[] = ServiceName.options;

/** The service that enrols the processes of all: its key signs their certificates. */
export const REGISTRAR: ServiceName = 'credentials';
