import { z } from 'zod';

/** The keys of what sends RFC 5424 messages. */
export const syslogMessageSettings = {
  /** The record itself is none of them: it cannot be shortened without ceasing to be itself. */
  format: z.enum(['ocsf', 'ecs', 'cef', 'leef']).default('ocsf'),
  /**
   * Bytes of one message, header included. A receiver splits what is longer than its own bound and takes the tail for a
   * record of its own (rsyslog: 8 KiB), so raise this only after the receiver's.
   */
  messageBytesMax: z.int().min(4_096).max(1_048_576).default(7_168),
};
