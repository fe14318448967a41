import { type HttpAnswer, readSecretFile } from '@warder/egress';
import type { Destination, DestinationContext, ExportRecord } from './destination.js';
import { HttpDestination, type HttpProtocol, type Settle } from './http-destination.js';
import { HttpReceiver, jsonObjectOf } from './http-receiver.js';
import { keyValues, otlpLogRecord } from './otlp-log-record.js';
import type { OtlpLogsSettings } from './otlp-logs-settings.js';
import { tryAgain } from './receiver-busy.js';
import { renderJson } from './render-json.js';
import { halvesOf, type Rendered } from './rendered.js';

/**
 * OTLP logs over HTTP (`/v1/logs` below the address), in JSON.
 * @throws Error for a secret or an authority that cannot be read
 * @see OpenTelemetry, OTLP specification, OTLP/HTTP
 */
export function createOtlpLogs(settings: OtlpLogsSettings, context: DestinationContext): Destination {
  const { header } = settings;
  const receiver = new HttpReceiver(
    settings,
    {
      'content-type': 'application/json',
      ...(header === undefined
        ? {}
        : { [header.name.toLowerCase()]: readSecretFile(header.valueFile, 'header.valueFile') }),
    },
    context,
  );
  return new HttpDestination(new OtlpLogs(settings, receiver), settings.bodyBytesMax, context.clock);
}

class OtlpLogs implements HttpProtocol {
  constructor(
    private readonly settings: OtlpLogsSettings,
    private readonly receiver: HttpReceiver,
  ) {}

  render(exported: ExportRecord): string {
    return otlpLogRecord(exported, renderJson(exported, this.settings.format));
  }

  async post(
    part: readonly Rendered[],
    settle: Settle,
    signal: AbortSignal,
  ): Promise<readonly (readonly Rendered[])[]> {
    const answer = await this.receiver.post('/v1/logs', this.bodyOf(part), signal);
    if (answer.status === 200) return accept(part, answer, settle);
    // 400: the whole request was dropped as malformed; the halves, which are other requests, find the record.
    if (answer.status === 400 || answer.status === 413) {
      if (part.length > 1) return halvesOf(part);
      settle.refused(part, `the receiver refuses it (${answer.status})`);
      return [];
    }
    // The specification lets only 429, 502, 503 and 504 be tried again. The others (a wrong token, a wrong path) are an
    // operator's to mend, and until then a record of the audit is kept and not dropped.
    throw tryAgain(answer);
  }

  async close(): Promise<void> {
    await this.receiver.close();
  }

  /** One resource for each node, for `service.instance.id` is where the records were made. */
  private bodyOf(part: readonly Rendered[]): string {
    const byNode = new Map<string, string[]>();
    for (const { record, text } of part) {
      const { node } = record.record;
      byNode.set(node, [...(byNode.get(node) ?? []), text]);
    }
    const resources = [...byNode].map(([node, texts]) => {
      const attributes = keyValues({ 'service.name': this.settings.serviceName, 'service.instance.id': node });
      const scope = '"scope":{"name":"warder.audit"}';
      return `{"resource":${JSON.stringify({ attributes })},"scopeLogs":[{${scope},"logRecords":[${texts.join(',')}]}]}`;
    });
    return `{"resourceLogs":[${resources.join(',')}]}`;
  }
}

/**
 * A partial success says how many were rejected, not which, and must not be sent again. All records of the request go
 * to the dead letters, so that none is lost, with a sentence that says so.
 */
function accept(part: readonly Rendered[], answer: HttpAnswer, settle: Settle): readonly (readonly Rendered[])[] {
  const said = jsonObjectOf(answer);
  // Some receivers answer an empty body; a page of a proxy is no answer of a collector.
  if (said === undefined && answer.text.trim() !== '') throw new Error('the receiver did not answer in JSON');
  const partial = said?.partialSuccess as { rejectedLogRecords?: unknown } | null | undefined;
  const rejected = Number(partial?.rejectedLogRecords ?? 0);
  if (!(rejected > 0)) settle.delivered(part);
  else settle.refused(part, rejectionOf(rejected, part.length));
  return [];
}

function rejectionOf(rejected: number, sent: number): string {
  if (rejected >= sent) return 'the receiver rejected every record of the request';
  return `the receiver rejected ${rejected} of the ${sent} records of the request and does not say which`;
}
