import { join } from 'node:path';
import { RSYSLOG_LINE, runRsyslog } from './rsyslog-receiver.js';
import type { SiemReceiver } from './siem-receiver.js';

/** Which topic rsyslog reads, on a broker that asks for no login. */
export interface RsyslogKafka {
  readonly broker: string;
  readonly topic: string;
  readonly group: string;
}

/** A record with its arguments and result may be as long as a message of the topic. */
const MESSAGE_BYTES_MAX = 1_048_576;

/**
 * Starts Debian's rsyslog on a topic (imkafka), from its oldest message on; each message is a line of `kafka.jsonl`.
 * There is no login by SCRAM: librdkafka before 2.6.1 sends a nonce that Kafka has refused since CVE-2024-56128.
 */
export function startRsyslogOnKafka({ broker, topic, group }: RsyslogKafka): Promise<SiemReceiver> {
  return runRsyslog(
    [],
    (dir) => `
global(workDirectory="${dir}" maxMessageSize="${MESSAGE_BYTES_MAX}")
${RSYSLOG_LINE}
module(load="imkafka")
input(type="imkafka" broker=["${broker}"] topic="${topic}" consumergroup="${group}" parseHostname="off" ruleset="kafka"
  confParam=["auto.offset.reset=earliest"])
ruleset(name="kafka") { action(type="omfile" file="${join(dir, 'kafka.jsonl')}" template="line") }
`,
  );
}
