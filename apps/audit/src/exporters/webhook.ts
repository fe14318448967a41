import { createHash } from 'node:crypto';
import { readSecretFile, webhookHeaders, webhookKey } from '@warder/egress';
import type { Destination, DestinationContext, ExportRecord } from './destination.js';
import { HttpDestination, type HttpProtocol, type Settle } from './http-destination.js';
import { HttpReceiver } from './http-receiver.js';
import { tryAgain } from './receiver-busy.js';
import { isoTime, renderJson } from './render-json.js';
import { halvesOf, type Rendered } from './rendered.js';
import type { WebhookSettings } from './webhook-settings.js';

/**
 * Posts `{"type":"warder.audit.records","timestamp":…,"data":{"records":[{"id","event"},…]}}`, signed. Any 2xx
 * acknowledges the whole post, so a receiver that cannot use a record takes it and sets it aside. At least once: the
 * record's `id` tells what comes twice; `webhook-id` is the same for the same records.
 * @throws Error for a secret or an authority that cannot be read
 */
export function createWebhook(settings: WebhookSettings, context: DestinationContext): Destination {
  const keys = settings.secretFiles.map((path) => webhookKey(readSecretFile(path, 'secretFiles')));
  const receiver = new HttpReceiver(settings, { 'content-type': 'application/json' }, context);
  const protocol = new Webhook(settings, receiver, keys, () => context.clock.wallMs());
  return new HttpDestination(protocol, settings.bodyBytesMax, context.clock);
}

class Webhook implements HttpProtocol {
  private isGone = false;

  constructor(
    private readonly settings: WebhookSettings,
    private readonly receiver: HttpReceiver,
    private readonly keys: readonly Buffer[],
    private readonly wallMs: () => number,
  ) {}

  render(exported: ExportRecord): string {
    return `{"id":${JSON.stringify(exported.key)},"event":${renderJson(exported, this.settings.format)}}`;
  }

  async post(
    part: readonly Rendered[],
    settle: Settle,
    signal: AbortSignal,
  ): Promise<readonly (readonly Rendered[])[]> {
    if (this.isGone) throw new Error('the receiver answered 410: nothing is posted there until a restart');
    const body = bodyOf(part);
    const headers = webhookHeaders(idOf(part), this.wallMs(), body, this.keys);
    const answer = await this.receiver.post('', body, signal, headers);
    if (answer.status >= 200 && answer.status < 300) {
      settle.delivered(part);
      return [];
    }
    if (answer.status === 413) {
      if (part.length > 1) return halvesOf(part);
      settle.refused(part, 'the receiver finds it too long (413)');
      return [];
    }
    // Gone says that nobody listens there any more. Posting on would be noise, dropping records would be loss: the
    // exporter stands still, says why, and its lag grows until an operator has mended or removed it.
    this.isGone = answer.status === 410;
    throw tryAgain(answer);
  }

  async close(): Promise<void> {
    await this.receiver.close();
  }
}

function bodyOf(part: readonly Rendered[]): string {
  const newestMs = Math.max(...part.map(({ record }) => record.record.occurredAtMs));
  const timestamp = JSON.stringify(isoTime(newestMs));
  const records = part.map(({ text }) => text).join(',');
  return `{"type":"warder.audit.records","timestamp":${timestamp},"data":{"records":[${records}]}}`;
}

function idOf(part: readonly Rendered[]): string {
  const hash = createHash('sha256');
  for (const { record } of part) hash.update(`${record.key}\n`);
  return `msg_${hash.digest('base64url')}`;
}
