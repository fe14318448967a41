import { mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafkaClient } from '@warder/bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutRoot, ensureBuilt } from './compose-cluster.js';
import { ComposeRunner, removeComposeData } from './compose-runner.js';

const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('the broker of docker-compose.yml', () => {
  let runner: ComposeRunner;
  let dataDir: string;
  beforeAll(async () => {
    ensureBuilt('libs/bus');
    dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-compose-')));
    runner = await ComposeRunner.start({ root: checkoutRoot(), dataDir, only: ['topics', 'postgres'] });
  }, 120_000);
  afterAll(async () => {
    await runner?.stop();
    removeComposeData(dataDir);
  });

  const passwordOf = (user: string) => readFileSync(join(runner.volume('secrets-kafka'), user), 'utf8');
  const clientOf = (username: string, password = passwordOf(username)) =>
    createKafkaClient({
      node: `test-${username}`,
      brokers: [runner.address('kafka', 9092)],
      sasl: { username, password },
      log,
    });
  const send = async (user: string, topic: string) => {
    const producer = clientOf(user).producer({ retry: { retries: 1 } });
    try {
      await producer.connect();
      await producer.send({ topic, messages: [{ key: 'k', value: '{}' }] });
    } finally {
      await producer.disconnect();
    }
  };

  const firstKeyOnce = async (groupId: string, topic: string): Promise<string | undefined> => {
    const consumer = clientOf('siem').consumer({ groupId, retry: { restartOnFailure: async () => false } });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      return await new Promise((resolve, reject) => {
        consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
        const eachMessage = async ({ message }: { message: { key: Buffer | null } }) =>
          resolve(message.key?.toString());
        consumer.run({ eachMessage }).catch(reject);
      });
    } finally {
      await consumer.disconnect();
    }
  };
  // The first group of a broker makes it load the coordinator, and kafkajs gives up at once.
  const firstKey = async (groupId: string, topic: string): Promise<string | undefined> => {
    for (;;) {
      try {
        return await firstKeyOnce(groupId, topic);
      } catch (error) {
        if (!(error instanceof Error && error.message.includes('coordinator is loading'))) throw error;
      }
    }
  };

  it('takes a topic’s messages from its writer and from nobody else', async () => {
    await send('identity', 'warder.principal.state.v1');
    await expect(send('policy', 'warder.principal.state.v1')).rejects.toThrow(/not authorized/i);
    await expect(send('audit', 'warder.principal.state.v1')).rejects.toThrow(/not authorized/i);
  });

  it('lets a SIEM read its events in groups of its own, and nothing else', async () => {
    await send('audit', 'warder.audit.ocsf.v1');
    expect(await firstKey('siem.test', 'warder.audit.ocsf.v1')).toBe('k');
    await expect(firstKey('siem.test', 'warder.audit.recorded.v1')).rejects.toThrow(/not authorized/i);
    // What kafkajs makes of a group that is refused.
    await expect(firstKey('audit.store', 'warder.audit.ocsf.v1')).rejects.toThrow('Failed to find group coordinator');
    await expect(send('siem', 'warder.audit.ocsf.v1')).rejects.toThrow(/not authorized/i);
  });

  it('lets nobody in with a wrong password', async () => {
    const admin = clientOf('identity', 'wrong').admin({ retry: { retries: 0 } });
    await expect(admin.connect()).rejects.toThrow(/auth/i);
  });

  it('keeps its accounts and topics over a crash', async () => {
    await runner.service('kafka').kill('SIGKILL');
    expect(runner.service('kafka').pid).toBeUndefined();
    await runner.service('kafka').restart();
    await send('identity', 'warder.principal.state.v1');
  }, 60_000);

  it('leaves passwords in files of one reader and out of every log', () => {
    for (const name of ['setup', 'kafka', 'topics', 'postgres']) {
      for (const user of ['admin', 'identity', 'ingress']) {
        expect(runner.service(name).logs()).not.toContain(passwordOf(user));
      }
    }
  });
});
