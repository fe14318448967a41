// One-shot: makes the topics, and lets each service do at the broker what the topic files say, and nothing else.
// SETUP_BROKERS is host:port of Kafka, SETUP_ADMIN_PASSWORD_FILE the password of its user `admin`.
import { readFileSync } from 'node:fs';
import { aclsOf, applyAcls, createKafkaClient, toTopicConfig } from '@warder/bus';
import { EVERY_TOPIC } from '@warder/contracts';

const { SETUP_BROKERS: brokers = '', SETUP_ADMIN_PASSWORD_FILE: passwordFile = '' } = process.env;
const say = (fields, message) => console.error(message, JSON.stringify(fields));
const kafka = createKafkaClient({
  node: 'setup',
  brokers: brokers.split(','),
  sasl: { username: 'admin', password: readFileSync(passwordFile, 'utf8') },
  log: { debug() {}, info() {}, warn: say, error: say },
});
const admin = kafka.admin({ retry: { retries: 20, maxRetryTime: 1_000 } });
await admin.connect();
const existing = new Set(await admin.listTopics());
const missing = EVERY_TOPIC.filter(({ name }) => !existing.has(name));
if (missing.length > 0) {
  // The library's own five seconds are too short for all of them on a busy machine, and the broker then has only some.
  const timeout = 25_000;
  await admin.createTopics({ timeout, waitForLeaders: true, topics: missing.map((topic) => toTopicConfig(topic, 1)) });
}
const entries = aclsOf(EVERY_TOPIC);
await applyAcls(admin, entries);
await untilInForce(entries.reduce((count, { operations }) => count + operations.length, 0));
await admin.disconnect();

// The controller has them before the broker obeys them: a service that came in between would be refused for good.
async function untilInForce(wanted) {
  const any = 1;
  const filter = { resourceType: any, resourcePatternType: any, operation: any, permissionType: any };
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { resources } = await admin.describeAcls(filter);
    if (resources.reduce((count, { acls }) => count + acls.length, 0) >= wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the broker does not obey the new access rules');
}
