import { randomUUID } from 'node:crypto';
import { type HttpAnswer, readSecretFile } from '@warder/egress';
import type { Destination, DestinationContext, ExportRecord } from './destination.js';
import { HttpDestination, type HttpProtocol, type Settle } from './http-destination.js';
import { HttpReceiver, jsonObjectOf } from './http-receiver.js';
import { tryAgain } from './receiver-busy.js';
import { renderJson } from './render-json.js';
import { halvesOf, type Rendered } from './rendered.js';
import { SplunkAcknowledgements } from './splunk-acknowledgements.js';
import type { SplunkHecSettings } from './splunk-hec-settings.js';

/** Codes of a 400 that are about an event, not about token, channel or index. */
const CODES_OF_EVENTS = new Set([5, 6, 12, 13, 15]);

/**
 * Splunk's HTTP Event Collector, by default with indexer acknowledgement: a post is acknowledged when its `ackId` is
 * true at `/services/collector/ack`. Splunk has no key by which it drops what comes twice; every event carries
 * `record_id` for that.
 * @throws Error for a secret or an authority that cannot be read
 * @see Splunk Enterprise, Getting Data In: About HTTP Event Collector Indexer Acknowledgment
 */
export function createSplunkHec(settings: SplunkHecSettings, context: DestinationContext): Destination {
  const receiver = new HttpReceiver(
    settings,
    { authorization: `Splunk ${readSecretFile(settings.tokenFile, 'tokenFile')}`, 'content-type': 'application/json' },
    context,
  );
  return new HttpDestination(new SplunkHec(settings, receiver), settings.bodyBytesMax, context.clock);
}

class SplunkHec implements HttpProtocol {
  // Splunk keeps acknowledgements per channel; one that others use too could be told ours.
  private readonly channel = randomUUID();
  private readonly acknowledgements;

  constructor(
    private readonly settings: SplunkHecSettings,
    private readonly receiver: HttpReceiver,
  ) {
    this.acknowledgements = new SplunkAcknowledgements(receiver, this.channel, settings.ackPollMs);
  }

  render(exported: ExportRecord): string {
    const { record } = exported;
    const { index, source, sourcetype, format } = this.settings;
    const fields = { record_id: exported.key, kind: record.kind, decision: record.decision, outcome: record.outcome };
    const envelope = JSON.stringify({
      time: Number((record.occurredAtMs / 1_000).toFixed(3)),
      host: record.node,
      source,
      sourcetype,
      ...(index === undefined ? {} : { index }),
      fields,
    });
    // The event goes in as its own text: parsed and written anew, numbers past 2^53 would change.
    return `${envelope.slice(0, -1)},"event":${renderJson(exported, format)}}`;
  }

  async post(
    part: readonly Rendered[],
    settle: Settle,
    signal: AbortSignal,
  ): Promise<readonly (readonly Rendered[])[]> {
    const { acknowledgement } = this.settings;
    const headers: Record<string, string> = acknowledgement ? { 'x-splunk-request-channel': this.channel } : {};
    const body = part.map(({ text }) => text).join('');
    const answer = await this.receiver.post('/services/collector/event', body, signal, headers);
    const said = jsonObjectOf(answer);
    if (answer.status === 200 && said?.code === 0) {
      if (!acknowledgement) settle.delivered(part);
      else if (typeof said.ackId === 'number') this.acknowledgements.expect(said.ackId, part);
      else throw new Error('the receiver gave no ackId: the token has no indexer acknowledgement');
      return [];
    }
    if (answer.status === 413) return split(part, settle, 'the receiver finds it too long (413)');
    const code = typeof said?.code === 'number' ? said.code : undefined;
    if (answer.status === 400 && code !== undefined && CODES_OF_EVENTS.has(code))
      return withoutInvalid(part, settle, code, said?.['invalid-event-number']);
    throw tryAgain(answer, describe(answer, code));
  }

  async finish(settle: Settle, signal: AbortSignal): Promise<void> {
    await this.acknowledgements.wait(settle, signal);
  }

  /** Acknowledgements that came after the last try was given up spare Splunk the same events once more. */
  async resume(open: readonly Rendered[], settle: Settle, signal: AbortSignal): Promise<void> {
    await this.acknowledgements.recall(open, settle, signal);
  }

  async close(): Promise<void> {
    await this.receiver.close();
  }
}

function describe(answer: HttpAnswer, code: number | undefined): string {
  return code === undefined ? '' : `code ${code}${answer.status === 400 ? ', which an operator must mend' : ''}`;
}

/** Splunk names the first bad event of a post by its number; without one the halves tell. */
function withoutInvalid(
  part: readonly Rendered[],
  settle: Settle,
  code: number,
  number: unknown,
): readonly (readonly Rendered[])[] {
  const reason = `the receiver refuses the event (code ${code})`;
  const invalid = typeof number === 'number' ? part[number] : undefined;
  if (invalid === undefined) return split(part, settle, reason);
  settle.refused([invalid], reason);
  const rest = part.filter((one) => one !== invalid);
  return rest.length === 0 ? [] : [rest];
}

/** Posts the halves next, or refuses a record that is alone. */
function split(part: readonly Rendered[], settle: Settle, reason: string): readonly (readonly Rendered[])[] {
  if (part.length > 1) return halvesOf(part);
  settle.refused(part, reason);
  return [];
}
