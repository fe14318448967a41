import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadline, exportRecord, ExportScene, HOSTILE } from '../../apps/audit/src/exporters/http-destination.scene.js';
import { createOtlpLogs } from '../../apps/audit/src/exporters/otlp-logs.js';
import { OtlpLogsSettings } from '../../apps/audit/src/exporters/otlp-logs-settings.js';

const source = import.meta.dirname;
const built = join(source, '../../node_modules/.cache/warder-collector/collector');
const dir = mkdtempSync(join(tmpdir(), 'warder-collector-'));
const scene = new ExportScene();
let collector: ChildProcess;
let port: number;

beforeAll(async () => {
  mkdirSync(join(built, '..'), { recursive: true });
  execFileSync('go', ['build', '-o', built, '.'], { cwd: source, stdio: 'inherit' });
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const made = ['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', asked.concat(made), { stdio: 'ignore' });
  port = await freePort();
  writeFileSync(join(dir, 'collector.json'), JSON.stringify(configuration(key, cert)));
  collector = spawn(built, ['--config', `file:${join(dir, 'collector.json')}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(collector, 'close').then(() => 'ended');
  if ((await Promise.race([saysReady(collector), ended])) !== 'ready') throw new Error('the collector did not start');
}, 1_200_000);
afterAll(async () => {
  collector?.kill('SIGTERM');
  if (collector?.exitCode === null) await once(collector, 'close');
  await scene.end();
  rmSync(dir, { recursive: true, force: true });
});

function saysReady({ stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    // Read to the end, for a program whose log is not read stands still.
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
      if (said.includes('Everything is ready')) resolve('ready');
    });
  });
}

function configuration(key: string, cert: string): object {
  const tls = { key_file: key, cert_file: cert };
  const http = { endpoint: `127.0.0.1:${port}`, tls, max_request_body_size: 400_000 };
  return {
    receivers: { otlp: { protocols: { http } } },
    exporters: { file: { path: join(dir, 'received.jsonl'), flush_interval: '50ms' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { logs: { receivers: ['otlp'], exporters: ['file'] } },
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const free = (server.address() as AddressInfo).port;
  server.close();
  return free;
}

interface ReceivedLog {
  body: { stringValue: string };
  traceId?: string;
  timeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: string } }[];
}

/** What the collector wrote, in its own JSON. */
function received(): Map<string, ReceivedLog> {
  const logs = readFileSync(join(dir, 'received.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { resourceLogs: { scopeLogs: { logRecords: ReceivedLog[] }[] }[] })
    .flatMap(({ resourceLogs }) => resourceLogs.flatMap(({ scopeLogs }) => scopeLogs))
    .flatMap(({ logRecords }) => logRecords);
  return new Map(logs.map((log) => [valueOf(log, 'log.record.uid') ?? '', log]));
}

const valueOf = ({ attributes }: ReceivedLog, name: string) =>
  attributes.find(({ key }) => key === name)?.value.stringValue;

describe('a real OpenTelemetry Collector', () => {
  it.each([false, true])('takes every hostile record to the character over TLS, zipped: %s', async (gzip) => {
    const destination = scene.opens(createOtlpLogs(settings({ gzip }), scene.context));
    const batch = HOSTILE.map((hostile, n) => exportRecord(n + (gzip ? 100 : 0), hostile));
    expect(await destination.send(batch, deadline().signal)).toEqual([]);
    await expect.poll(() => batch.filter(({ key }) => received().has(key)).length).toBe(batch.length);
    for (const { key, text } of batch) {
      const log = received().get(key);
      expect(log?.body.stringValue).toBe(text);
      expect(log?.timeUnixNano).toBe('1790000000000000000');
      expect(log && valueOf(log, 'gen_ai.tool.name')).toBe('echo');
    }
  });

  it('refuses what is past its own bound, and the exporter finds the one record', async () => {
    const destination = scene.opens(createOtlpLogs(settings({}), scene.context));
    const long = exportRecord(301, 'l'.repeat(200_000));
    const refused = await destination.send([exportRecord(300), long, exportRecord(302)], deadline().signal);
    expect(refused.map(({ record }) => record.key)).toEqual([long.key]);
    await expect.poll(() => received().has(exportRecord(302).key)).toBe(true);
    expect(received().has(exportRecord(300).key)).toBe(true);
  });

  it('is not spoken to with a certificate that no named authority signed', async () => {
    const destination = scene.opens(createOtlpLogs(settings({ caFile: undefined }), scene.context));
    await expect(destination.send([exportRecord(400)], deadline().signal)).rejects.toThrow('self-signed certificate');
  });
});

function settings(more: Partial<OtlpLogsSettings>): OtlpLogsSettings {
  const url = `https://127.0.0.1:${port}`;
  return OtlpLogsSettings.parse({ kind: 'otlp-logs', url, format: 'record', caFile: join(dir, 'cert.pem'), ...more });
}
