import { createHmac } from 'node:crypto';
import { webhookHeaders, webhookKey } from '@warder/egress';
import { FakeWebhookReceiver } from '@warder/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Destination } from './destination.js';
import { deadline, exportRecord, exportRecords, ExportScene, HOSTILE } from './http-destination.scene.js';
import { createWebhook } from './webhook.js';
import { WebhookSettings } from './webhook-settings.js';

const secretOf = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const [OLD, NEW] = [secretOf('o'), secretOf('n')];

let scene: ExportScene;
beforeEach(() => {
  scene = new ExportScene();
});
afterEach(() => scene.end());

async function start(
  secret = OLD,
  secrets: readonly string[] = [OLD],
): Promise<{ hook: FakeWebhookReceiver; destination: Destination }> {
  const hook = await FakeWebhookReceiver.start(secret, () => scene.nowMs);
  scene.opens(hook.receiver);
  const destination = createWebhook(
    WebhookSettings.parse({
      kind: 'webhook',
      url: `${hook.receiver.url}/hooks/audit`,
      format: 'record',
      secretFiles: secrets.map((one, n) => scene.secretFile(`secret-${n}`, one)),
    }),
    scene.context,
  );
  return { hook, destination: scene.opens(destination) };
}

describe('the signed webhook', () => {
  it('signs id, time and body as Standard Webhooks says', () => {
    const headers = webhookHeaders('msg_1', 1_790_000_000_999, '{"a":1}', [webhookKey(OLD)]);
    const expected = createHmac('sha256', 'o'.repeat(32)).update('msg_1.1790000000.{"a":1}').digest('base64');
    expect(headers).toEqual({
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1790000000',
      'webhook-signature': `v1,${expected}`,
    });
  });

  it('posts signed records to the very address, hostile ones to the character', async () => {
    const { hook, destination } = await start();
    const batch = HOSTILE.map((hostile, n) => exportRecord(n, hostile));
    expect(await destination.send(batch, deadline().signal)).toEqual([]);
    expect([...hook.records.keys()]).toEqual(batch.map(({ key }) => key));
    const [request] = hook.receiver.requests;
    expect(request?.path).toBe('/hooks/audit');
    for (const { text } of batch) expect(request?.body).toContain(text);
  });

  it('satisfies a receiver that holds either secret while they are being changed', async () => {
    for (const held of [OLD, NEW]) {
      const { hook, destination } = await start(held, [NEW, OLD]);
      expect(await destination.send(exportRecords(1), deadline().signal)).toEqual([]);
      expect(hook.receiver.requests[0]?.headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
    }
    const { destination } = await start(NEW, [OLD]);
    await expect(destination.send(exportRecords(1), deadline().signal)).rejects.toThrow('the receiver answered 401');
  });

  it('comes again after a lost answer under the same id, with a time of its own, and nothing is lost or doubled', async () => {
    const { hook, destination } = await start();
    hook.receiver.faults.push('reset-after', { status: 500, body: '' }, 'reset-before', 'reset-within');
    await scene.sendUntilTaken(destination, exportRecords(3), () => (scene.nowMs += 60_000));
    expect(hook.records.size).toBe(3);
    const ids = hook.receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(1);
    const times = hook.receiver.requests.map(({ headers }) => headers['webhook-timestamp']);
    expect(new Set(times).size).toBe(times.length);
  });

  it('halves what is too long', async () => {
    const { hook, destination } = await start();
    hook.bodyBytesMax = 5_000;
    const long = exportRecord(9, 'l'.repeat(5_000));
    expect(await destination.send([...exportRecords(5), long], deadline().signal)).toEqual([
      { record: long, reason: 'the receiver finds it too long (413)' },
    ]);
    expect(hook.records.size).toBe(5);
  });

  it('stands still after 410 and drops nothing', async () => {
    const { hook, destination } = await start();
    hook.receiver.faults.push({ status: 410, body: '' });
    await expect(destination.send(exportRecords(1), deadline().signal)).rejects.toThrow('the receiver answered 410');
    await expect(destination.send(exportRecords(1), deadline().signal)).rejects.toThrow('nothing is posted there');
    expect(hook.receiver.requests.length).toBe(1);
    expect(destination.state()).toEqual({ status: 'failing' });
  });

  it('follows no redirect, for the receiver was named and another was not', async () => {
    const { hook, destination } = await start();
    hook.receiver.faults.push({ status: 307, headers: { location: `${hook.receiver.url}/elsewhere` }, body: '' });
    await expect(destination.send(exportRecords(1), deadline().signal)).rejects.toThrow('the receiver answered 307');
    expect(hook.receiver.requests.length).toBe(1);
  });

  it.each(['whsec_', 'whsec_c2hvcnQ=', OLD.slice('whsec_'.length), `${OLD} `, `${OLD}\n${NEW}`])(
    'does not start with the secret %j, and does not say it',
    async (secret) => {
      const failure = await start(OLD, [secret]).then(
        () => 'started',
        (error: Error) => error.message,
      );
      expect(failure).toMatch(/whsec_ and 24 to 64 bytes|holds no secret/);
      expect(failure).not.toContain(Buffer.from('o'.repeat(24)).toString('base64'));
    },
  );

  it('shows the secret in no error, state or log line', async () => {
    const { hook, destination } = await start();
    hook.receiver.faults.push({ status: 400, body: OLD }, 'reset-before');
    const { failures } = await scene.sendUntilTaken(destination, exportRecords(1));
    expect(failures.length).toBe(2);
    expect(JSON.stringify([failures, destination.state(), scene.logged])).not.toContain(OLD.slice(6, 20));
  });
});
