import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import { auditRecordedTopic, principalStateTopic, tokenStateTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { freeReceiverPort, type SiemReceiver, startRsyslog } from '@warder/testing';
import { digestOf, issueToken } from '@warder/tokens';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditService } from '../index.js';
import { CLIENT_NAME, exportRecord, idsOf, makeReceiversScene, type ReceiversScene } from './receivers.scene.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearers = { admin: issueToken(randomBytes), auditor: issueToken(randomBytes), member: issueToken(randomBytes) };
const WAIT = { timeout: 20_000, interval: 50 };
const LOOKS = { timeout: 25_000, interval: 1_000 };

describe('the exporters at the admin door', () => {
  let dataDir: string;
  let database: EmbeddedPostgres;
  let scene: ReceiversScene;
  let receiver: SiemReceiver;
  let bus: Bus;
  let running: RunningHost;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'warder-exporters-'));
    database = await startEmbeddedPostgres({ dataDir, ephemeral: true, tcp: { password: 'test' } });
    scene = await makeReceiversScene();
    const port = await freeReceiverPort();
    receiver = await startRsyslog({ files: scene.server, permittedPeer: CLIENT_NAME, relpPort: port });
    bus = createInProcessBus({ node: 'audit', log, clock });
    await bus.own(principalStateTopic);
    await bus.own(tokenStateTopic);
    for (const [role, bearer] of Object.entries(bearers)) {
      const id = `usr_${role}`;
      const roles = [role as keyof typeof bearers];
      const principal = { ...principalStateTopic.example, version: 1, id, email: `${role}@example.com` };
      await bus.publish(principalStateTopic, id, { ...principal, groups: [], roles });
      const token = { ...tokenStateTopic.example, version: 1, id: `pat_${role}`, principalId: id };
      const expiresAtMs = Date.now() + 3_600_000;
      await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, pepperKeyId: 'p1', expiresAtMs });
    }
    const config = {
      database: { url: database.tcpUrl },
      pepper: { current: 'p1', keys: { p1: PEPPER } },
      exporters: { siem: { kind: 'relp', format: 'cef', host: '127.0.0.1', port, tls: scene.client } },
    };
    running = await startServiceForTest(auditService, config, { bus, clock });
    await vi.waitUntil(async () => (await all('auditor')).status === 200, WAIT);
  });
  afterAll(async () => {
    await running?.stop();
    await bus?.close();
    await receiver?.stop();
    await database?.stop();
    scene?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const all = (role: keyof typeof bearers) =>
    request(running.url).get('/admin/audit/exporters').set('authorization', `Bearer ${bearers[role]}`);
  const rewind = (name: string, body: object, role: keyof typeof bearers = 'admin') =>
    request(running.url)
      .post(`/admin/audit/exporters/${name}/rewind`)
      .set('authorization', `Bearer ${bearers[role]}`)
      .send(body);
  const publish = async (number: number): Promise<string> => {
    const { key, text } = exportRecord(number, 'hi');
    await bus.publishRaw(auditRecordedTopic, [{ key, value: Buffer.from(text) }]);
    return key;
  };

  it('shows state, place and lag of each, and in the metrics', async () => {
    const key = await publish(1);
    await vi.waitFor(async () => expect(idsOf(await receiver.lines('relp.jsonl'))).toContain(key), WAIT);
    // Each look is a record that is exported too: the next one waits until this one may have arrived.
    await vi.waitFor(async () => {
      const { body } = await all('admin');
      expect(body).toEqual({
        exporters: [
          {
            name: 'siem',
            kind: 'relp',
            format: 'cef',
            status: 'well',
            lastAcknowledged: { recordId: expect.any(String) as string, atMs: expect.any(Number) as number },
            lag: { records: 0, seconds: 0 },
            lastError: null,
            exported: expect.any(Number) as number,
            deadLetters: 0,
          },
        ],
      });
    }, LOOKS);
    // What was read of the last look is in the metrics once it has arrived.
    const seen = async (): Promise<number> => idsOf(await receiver.lines('relp.jsonl')).length;
    const metrics = await vi.waitFor(async () => {
      const answer = await request(running.url).get('/metrics');
      const exported = `warder_exported_records_total{exporter="siem",became="exported"} ${await seen()}\n`;
      expect(answer.text).toContain(exported);
      expect(answer.text).toContain('warder_export_lag_records{exporter="siem"} 0');
      return answer;
    }, LOOKS);
    expect(metrics.text).toContain('warder_export_lag_records{exporter="siem"} 0');
    expect(metrics.text).toContain('warder_export_lag_seconds{exporter="siem"} 0');
  });

  it('rewinds one, and the rewind is a record like any other', async () => {
    const key = await publish(2);
    await vi.waitFor(async () => expect(idsOf(await receiver.lines('relp.jsonl'))).toContain(key), WAIT);
    const answer = await rewind('siem', { to: 'beginning' });
    expect([answer.status, answer.body.exporter.name]).toEqual([202, 'siem']);
    await vi.waitFor(async () => {
      const lines = await receiver.lines('relp.jsonl');
      expect(idsOf(lines).filter((id) => id === key)).toHaveLength(2);
      expect(lines.filter(({ msgid, msg }) => msgid === 'admin' && msg.includes('exporter.rewind'))).toHaveLength(1);
    }, WAIT);
  });

  it.each([
    ['an unknown exporter', 'none', { to: 'beginning' }, 404, 'WDR_EXPORTER_UNKNOWN'],
    ['no time', 'siem', {}, 400, 'WDR_BODY_INVALID'],
    ['a time without its zone', 'siem', { to: '2026-11-26T08:00:00' }, 400, 'WDR_BODY_INVALID'],
  ])('refuses %s', async (_, name, body, status, code) => {
    const answer = await rewind(name, body);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });

  it('tells a member nothing, and lets an auditor look and change nothing', async () => {
    const to = { to: 'beginning' };
    for (const answer of [await all('member'), await rewind('siem', to, 'member'), await rewind('siem', to, 'auditor')])
      expect([answer.status, answer.body.error.code]).toEqual([403, 'WDR_ROLE_MISSING']);
  });
});
