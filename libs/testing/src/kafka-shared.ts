/** Environment variable by which the run's global set-up tells workers where to ask for the broker. */
export const SHARED_KAFKA_URL = 'WARDER_SHARED_KAFKA_URL';

/**
 * Brokers for a spec: `KAFKA_BROKERS` (comma separated) if set, else the one real broker of this test run. Specs share
 * it, so each makes topics with names of its own.
 * @throws Error with one sentence when no broker can be had
 */
export async function sharedKafka(): Promise<string[]> {
  const given = process.env.KAFKA_BROKERS;
  if (given !== undefined && given !== '') return given.split(',');
  const url = process.env[SHARED_KAFKA_URL];
  if (url === undefined)
    throw new Error('No Kafka for the tests: vitest ran without the global set-up of the project.');
  const response = await fetch(url);
  const answer = (await response.json()) as { brokers: string[] } | { error: string };
  if ('error' in answer) throw new Error(answer.error);
  return answer.brokers;
}
