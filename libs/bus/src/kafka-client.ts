import { Kafka, type logCreator, logLevel } from 'kafkajs';
import type { BusLog } from './bus.js';
import type { KafkaBusOptions } from './kafka-bus.js';
import { useFastGzip } from './kafka-gzip.js';
import { stopIdleTimer } from './kafka-idle-timer.js';
import { useFastRecordBatches } from './kafka-record-batch.js';

/** A kafkajs client with the bus's settings, for administration outside of a bus. */
export function createKafkaClient(options: Pick<KafkaBusOptions, 'node' | 'brokers' | 'sasl' | 'tls' | 'log'>): Kafka {
  stopIdleTimer();
  useFastGzip();
  useFastRecordBatches();
  return new Kafka({
    clientId: options.node,
    brokers: options.brokers,
    sasl: options.sasl && { mechanism: 'scram-sha-512', ...options.sasl },
    ssl: options.tls,
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 500 },
    logLevel: logLevel.WARN,
    logCreator: logTo(options.log),
  });
}

/** What kafkajs calls an error is mostly a retry; the bus itself says what could not be done. */
function logTo(log: BusLog): logCreator {
  return () =>
    ({ namespace, log: { message, timestamp: _timestamp, ...fields } }) =>
      log.debug({ namespace, ...fields }, message);
}
