import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  FakeElasticBulk,
  FakeOtlpReceiver,
  type FakeReceiver,
  FakeSplunkHec,
  FakeWebhookReceiver,
  type ReceivedLine,
} from '@warder/testing';
import { SiemReceivers, variables } from '../siem-receivers.js';

const NODE = 'audit-1';
const TOKEN = 'a-token-of-hec';
const API_KEY = 'a2V5';
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Fakes {
  readonly elastic: FakeElasticBulk;
  readonly splunk: FakeSplunkHec;
  readonly otlp: FakeOtlpReceiver;
  readonly webhook: FakeWebhookReceiver;
}

/** One receiver of each kind that Warder exports to: real log daemons, strict fakes of the rest, and files. */
export class ChaosReceivers {
  private constructor(
    private readonly dir: string,
    private readonly daemons: SiemReceivers,
    private readonly fakes: Fakes,
  ) {}

  static async start(): Promise<ChaosReceivers> {
    const dir = mkdtempSync(join(tmpdir(), 'warder-chaos-receivers-'));
    mkdirSync(join(dir, 'files'));
    writeFileSync(join(dir, 'hec-token'), TOKEN);
    writeFileSync(join(dir, 'api-key'), API_KEY);
    writeFileSync(join(dir, 'webhook-secret'), WEBHOOK_SECRET);
    return new ChaosReceivers(dir, await SiemReceivers.start(), {
      elastic: await FakeElasticBulk.start({
        authorization: `ApiKey ${API_KEY}`,
        target: 'audit',
        isDataStream: false,
      }),
      splunk: await FakeSplunkHec.start({ token: TOKEN, acknowledgement: true }),
      otlp: await FakeOtlpReceiver.start(),
      webhook: await FakeWebhookReceiver.start(WEBHOOK_SECRET, () => Date.now()),
    });
  }

  /** Variables of the audit service. */
  get environment(): Record<string, string> {
    const { dir } = this;
    const { elastic, splunk, otlp, webhook } = this.fakes;
    const exporters = {
      elastic: {
        kind: 'elastic-bulk',
        url: elastic.receiver.url,
        target: { kind: 'index', name: 'audit' },
        apiKeyFile: join(dir, 'api-key'),
      },
      splunk: {
        kind: 'splunk-hec',
        url: splunk.receiver.url,
        tokenFile: join(dir, 'hec-token'),
        ackPollMs: 100,
        sendTimeoutMs: 10_000,
      },
      otlp: { kind: 'otlp-logs', url: otlp.receiver.url },
      webhook: { kind: 'webhook', url: webhook.receiver.url, secretFiles: join(dir, 'webhook-secret') },
      files: { kind: 'files', dir: join(dir, 'files'), segmentBytesMax: 1_048_576 },
    };
    return { ...this.daemons.environment, ...Object.fromEntries(variables('WARDER_EXPORTERS', exporters)) };
  }

  /** The ids that each receiver holds, as often as it wrote them down; one with a key of its own writes each once. */
  async ids(): Promise<Record<string, readonly string[]>> {
    const { elastic, splunk, otlp, webhook } = this.fakes;
    const lines = Object.entries(await this.daemons.lines());
    return {
      elastic: [...elastic.documents.keys()],
      splunk: splunk.indexed.map(({ fields }) => fields?.['record_id'] ?? ''),
      otlp: otlp.logs.map(({ record }) => uidOf(record.attributes ?? [])),
      webhook: [...webhook.records.keys()],
      files: this.filed(),
      ...Object.fromEntries(lines.map(([name, all]) => [name, all.map(idOfLine)])),
    };
  }

  /** Lets go of what the fakes remember of requests, which is much after some rounds. */
  forgetRequests(): void {
    for (const { receiver } of Object.values(this.fakes) as { receiver: FakeReceiver }[]) receiver.requests.length = 0;
  }

  async stop(): Promise<void> {
    await this.daemons.stop();
    for (const { receiver } of Object.values(this.fakes) as { receiver: FakeReceiver }[]) await receiver.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private filed(): string[] {
    const dir = join(this.dir, 'files', NODE);
    const names = readdirSync(dir).filter((name) => name.startsWith('audit-'));
    try {
      return names.flatMap((name) => idsOfFile(join(dir, name)));
    } catch (error) {
      // One was closed meanwhile, and has another name.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.filed();
      throw error;
    }
  }
}

function idsOfFile(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { metadata: { uid: string } }).metadata.uid);
}

function uidOf(attributes: readonly { key: string; value: object }[]): string {
  const value = attributes.find(({ key }) => key === 'log.record.uid')?.value;
  return value !== undefined && 'stringValue' in value ? String(value.stringValue) : '';
}

function idOfLine(line: ReceivedLine): string {
  return /recordId="([0-9a-f-]{36})"/.exec(line.sd)?.[1] ?? JSON.stringify(line).slice(0, 200);
}
