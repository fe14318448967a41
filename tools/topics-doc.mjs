/**
 * Writes docs/topics.md and docs/asyncapi.yaml from the topic files of libs/contracts; a spec compares the pages with
 * what this writes.
 * Usage: node tools/topics-doc.mjs (after `npm run build`)
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { stringify } from 'yaml';
import { z } from 'zod';

const FOR_EVER = -1;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/**
 * The page for people: who may write and read what, for how long it is kept, and one example of each.
 * @param topics - every topic of the bus
 */
export async function topicsPage(topics) {
  const rows = topics.map((topic) => [
    `[\`${topic.name}\`](#${anchorOf(topic.name)})`,
    topic.key,
    keptFor(topic),
    String(topic.partitions),
    bytes(topic.messageBytesMax),
    services(topic.writers, topics),
    services(topic.readers, topics),
  ]);
  const head = ['topic', 'key', 'kept', 'partitions', 'one message', 'written by', 'read by'];
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const sections = topics.map(
    (topic) => `## ${topic.name}\n\n\`\`\`json\n${JSON.stringify(topic.example, null, 2)}\n\`\`\`\n`,
  );
  const page = [
    '# Topics',
    '',
    'Written by `tools/topics-doc.mjs` from `libs/contracts/src/topics`; change those files and run it again.',
    '',
    'The columns of writers and readers are the access rules of the broker: `deploy/setup/topics.mjs` makes them from the',
    'same values, and a service that is not named is refused. State travels on compacted topics, its versions come from its',
    'owner’s database and grow per key; events are kept for a time and read tolerantly. The same topics exist in standalone,',
    'within the process. `docs/asyncapi.yaml` has the schema of each message.',
    '',
    'The reader `siem` is no service of ours but whatever fetches events for a SIEM. It logs in as the Kafka user `siem`,',
    'whose password lies alone in the volume `secrets-siem`, and its consumer groups are named `siem.` and anything.',
    '',
    table,
    '',
    ...sections,
  ].join('\n');
  return formatted(page, 'topics.md');
}

/**
 * The same for programs: an AsyncAPI 3.0 document with the JSON Schema of each message.
 * @param topics - every topic of the bus
 */
export async function asyncApi(topics) {
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Warder',
      version: '1',
      description: 'Written by tools/topics-doc.mjs from libs/contracts/src/topics.',
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(topics.map((topic) => [topic.name, channelOf(topic)])),
    operations: Object.fromEntries(topics.flatMap(operationsOf)),
  };
  return formatted(stringify(document, { aliasDuplicateObjects: false, lineWidth: 120 }), 'asyncapi.yaml');
}

// As the formatter's check wants it, so that nobody reformats a generated page.
async function formatted(text, name) {
  const file = fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

function channelOf(topic) {
  const settings = { 'cleanup.policy': [topic.cleanup], 'max.message.bytes': topic.messageBytesMax };
  return {
    address: topic.name,
    messages: {
      message: {
        payload: schemaOf(topic),
        examples: [{ payload: topic.example }],
        bindings: { kafka: { key: { type: 'string', description: topic.key }, bindingVersion: '0.5.0' } },
      },
    },
    bindings: {
      kafka: {
        topic: topic.name,
        partitions: topic.partitions,
        topicConfiguration: topic.retentionMs === null ? settings : { ...settings, 'retention.ms': topic.retentionMs },
        bindingVersion: '0.5.0',
      },
    },
  };
}

function schemaOf(topic) {
  const { $schema: _, ...schema } = z.toJSONSchema(topic.schema, { io: 'input', unrepresentable: 'any' });
  return schema;
}

function operationsOf(topic) {
  const channel = { $ref: `#/channels/${topic.name.replaceAll('/', '~1')}` };
  const of = (action, word) => (service) => [`${service}.${word}.${topic.name}`, { action, channel }];
  return [...topic.writers.map(of('send', 'writes')), ...topic.readers.map(of('receive', 'reads'))];
}

function keptFor({ retentionMs }) {
  if (retentionMs === null) return 'the last value of each key';
  if (retentionMs === FOR_EVER) return 'for ever';
  if (retentionMs % DAY_MS === 0) return counted(retentionMs / DAY_MS, 'day');
  if (retentionMs % HOUR_MS === 0) return counted(retentionMs / HOUR_MS, 'hour');
  return counted(retentionMs / MINUTE_MS, 'minute');
}

const counted = (count, unit) => `${count} ${unit}${count === 1 ? '' : 's'}`;

function bytes(count) {
  return count % 1_048_576 === 0 ? `${count / 1_048_576} MiB` : `${count / 1_024} KiB`;
}

function services(names, topics) {
  const everybody = new Set(topics.flatMap(({ writers }) => writers));
  return names.length === everybody.size ? 'every service' : names.join(', ');
}

const anchorOf = (name) => name.replaceAll('.', '');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { EVERY_TOPIC } = await import('../libs/contracts/dist/index.js');
  const docs = new URL('../docs/', import.meta.url);
  writeFileSync(new URL('topics.md', docs), await topicsPage(EVERY_TOPIC));
  writeFileSync(new URL('asyncapi.yaml', docs), await asyncApi(EVERY_TOPIC));
}
