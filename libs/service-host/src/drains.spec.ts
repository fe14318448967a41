import { createLogger } from '@warder/telemetry';
import { expect, it } from 'vitest';
import { Drains } from './drains.js';

const log = createLogger('test', { level: 'silent' });

it('drains the service composed last first, whenever it registered, and goes on after one that fails', async () => {
  const drains = new Drains();
  const order: string[] = [];
  const note = (name: string) => async () => void order.push(name);
  drains.rankOf('audit');
  drains.rankOf('ingress');
  drains.add('ingress', 'journal', note('journal'));
  drains.add('audit', 'store', note('store'));
  drains.add('ingress', 'upstreams', async () => Promise.reject(new Error('broken')));
  drains.add('ingress', 'door', note('door'));
  drains.add('audit', 'consumer', note('consumer'));
  await drains.run(1_000, log);
  expect(order).toEqual(['door', 'journal', 'consumer', 'store']);
});
