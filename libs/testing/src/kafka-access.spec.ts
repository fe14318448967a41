import { aclsOf, applyAcls, type Bus, type BusLog, createKafkaBus, createKafkaClient } from '@warder/bus';
import { auditOcsfTopic, nodeAppliedTopic, tokenStateTopic } from '@warder/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.js';

const log: BusLog = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const admin = { username: 'admin', password: 'admin-password' };
const users = ['identity', 'ingress'].map((username) => ({ username, password: `${username}-password` }));
const topics = [tokenStateTopic, nodeAppliedTopic];

describe('a broker with accounts', () => {
  let broker: KafkaBroker;
  const open: Bus[] = [];

  beforeAll(async () => {
    broker = await startKafkaBroker({ sasl: { admin, users } });
    const setUp = createKafkaBus({
      node: 'set-up',
      service: 'admin',
      brokers: broker.brokers,
      sasl: admin,
      log,
      clock,
    });
    await setUp.ensureTopics(topics);
    await setUp.close();
    const client = createKafkaClient({ node: 'set-up', brokers: broker.brokers, sasl: admin, log }).admin();
    await client.connect();
    await applyAcls(client, aclsOf(topics));
    await client.disconnect();
  });

  afterAll(async () => {
    await Promise.all(open.map((bus) => bus.close()));
    await broker?.stop();
  });

  function busOf(service: string, password = `${service}-password`): Bus {
    const { brokers } = broker;
    const sasl = { username: service, password };
    const bus = createKafkaBus({
      node: `${service}-1`,
      service,
      brokers,
      sasl,
      log,
      clock,
      bounds: { deadlineMs: 5_000 },
    });
    open.push(bus);
    return bus;
  }

  it('lets the owner write its state and a reader replicate it', async () => {
    const identity = busOf('identity');
    await identity.publish(tokenStateTopic, 'digest', tokenStateTopic.example);
    await identity.own(tokenStateTopic);
    const applied: string[] = [];
    const replica = await busOf('ingress').replica(tokenStateTopic, (key) => applied.push(key));
    await replica.ready;
    expect(applied).toEqual(['digest']);
  });

  it('refuses the state of a service that is not its writer, and goes on with what it may write', async () => {
    const ingress = busOf('ingress');
    await expect(ingress.publish(tokenStateTopic, 'digest', tokenStateTopic.example)).rejects.toMatchObject({
      reason: 'refused',
    });
    await ingress.publish(nodeAppliedTopic, 'ingress-1', nodeAppliedTopic.example);
  });

  it('takes nothing from a wrong password', async () => {
    const stranger = busOf('identity', 'guessed');
    await expect(stranger.publish(tokenStateTopic, 'digest', tokenStateTopic.example)).rejects.toMatchObject({
      reason: 'deadline',
    });
    expect(stranger.isConnected()).toBe(false);
  });
});

describe('the access lists', () => {
  it('give writing to the writers alone and reading to the readers alone', () => {
    const entries = aclsOf([tokenStateTopic]).filter(({ name }) => name === 'warder.token.state.v1');
    const writers = entries.filter(({ operations }) => operations.includes('write'));
    expect(writers.map(({ principal }) => principal)).toEqual(['User:identity']);
    expect(entries.every(({ operations }) => operations.includes('read'))).toBe(true);
  });

  it('give one that only reads nothing at the cluster', () => {
    const entries = aclsOf([auditOcsfTopic]).filter(({ principal }) => principal === 'User:siem');
    expect(entries.map(({ resource, name, operations }) => [resource, name, operations])).toEqual([
      ['topic', 'warder.audit.ocsf.v1', ['describe', 'read']],
      ['group', 'siem.', ['read', 'describe']],
    ]);
  });

  it('cover the groups of a service by its name as a prefix', () => {
    expect(aclsOf([tokenStateTopic])).toContainEqual({
      principal: 'User:ingress',
      resource: 'group',
      name: 'ingress.',
      pattern: 'prefixed',
      operations: ['read', 'describe'],
    });
  });
});
