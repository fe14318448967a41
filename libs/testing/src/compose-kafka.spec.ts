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

  it('takes a topic’s messages from its writer and from nobody else', async () => {
    await send('identity', 'warder.principal.state.v1');
    await expect(send('policy', 'warder.principal.state.v1')).rejects.toThrow(/not authorized/i);
    await expect(send('audit', 'warder.principal.state.v1')).rejects.toThrow(/not authorized/i);
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
