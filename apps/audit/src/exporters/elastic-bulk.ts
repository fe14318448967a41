import { readSecretFile } from '@warder/egress';
import type { Destination, DestinationContext, ExportRecord } from './destination.js';
import type { ElasticBulkSettings } from './elastic-bulk-settings.js';
import { HttpDestination, type HttpProtocol, type Settle } from './http-destination.js';
import { HttpReceiver, jsonObjectOf } from './http-receiver.js';
import { tryAgain } from './receiver-busy.js';
import { isoTime, renderJson } from './render-json.js';
import { halvesOf, type Rendered } from './rendered.js';

/** All that is read of an answer; the rest, a document's values in the reasons above all, stays away. */
const FILTER = 'filter_path=errors,items.*.status,items.*.error.type';

/**
 * Elasticsearch or OpenSearch by `_bulk` with `create` and the record id as `_id`: a record that comes twice is
 * answered 409 and counts as delivered. That holds within one backing index: after a rollover a data stream takes the
 * same id again.
 * @throws Error for a secret or an authority that cannot be read
 * @see Elasticsearch API, Bulk index or delete documents
 */
export function createElasticBulk(settings: ElasticBulkSettings, context: DestinationContext): Destination {
  const receiver = new HttpReceiver(
    settings,
    { ...credentialOf(settings), 'content-type': 'application/x-ndjson', accept: 'application/json' },
    context,
  );
  return new HttpDestination(new ElasticBulk(settings, receiver), settings.bodyBytesMax, context.clock);
}

function credentialOf({ apiKeyFile, basicFile }: ElasticBulkSettings): Record<string, string> {
  if (apiKeyFile !== undefined) return { authorization: `ApiKey ${readSecretFile(apiKeyFile, 'apiKeyFile')}` };
  if (basicFile === undefined) return {};
  return { authorization: `Basic ${Buffer.from(readSecretFile(basicFile, 'basicFile')).toString('base64')}` };
}

class ElasticBulk implements HttpProtocol {
  private readonly path: string;

  constructor(
    private readonly settings: ElasticBulkSettings,
    private readonly receiver: HttpReceiver,
  ) {
    this.path = `/${encodeURIComponent(settings.target.name)}/_bulk?${FILTER}`;
  }

  render(exported: ExportRecord): string {
    const { format, target } = this.settings;
    const action = JSON.stringify({ create: { _id: exported.key } });
    return `${action}\n${withTimestamp(renderJson(exported, format), exported, target.kind)}\n`;
  }

  async post(
    part: readonly Rendered[],
    settle: Settle,
    signal: AbortSignal,
  ): Promise<readonly (readonly Rendered[])[]> {
    const answer = await this.receiver.post(this.path, part.map(({ text }) => text).join(''), signal);
    if (answer.status === 413) {
      if (part.length > 1) return halvesOf(part);
      settle.refused(part, 'the receiver finds it too long (413)');
      return [];
    }
    if (answer.status !== 200) throw tryAgain(answer);
    const items = jsonObjectOf(answer)?.items;
    if (!Array.isArray(items) || items.length !== part.length)
      throw new Error('the receiver did not answer for every record');
    let open: string | undefined;
    for (const [position, one] of part.entries()) open = judge(one, resultOf(items[position]), settle) ?? open;
    // The batch comes again after a back-off, less what was settled here.
    if (open !== undefined) throw new Error(`the receiver put records off (${open})`);
    return [];
  }

  async close(): Promise<void> {
    await this.receiver.close();
  }
}

interface ItemResult {
  readonly status: number;
  readonly type: string;
}

function resultOf(item: unknown): ItemResult | undefined {
  const create = (item as { create?: { status?: unknown; error?: { type?: unknown } } } | null)?.create;
  if (typeof create?.status !== 'number') return undefined;
  const type = create.error?.type;
  return { status: create.status, type: typeof type === 'string' ? type.slice(0, 80) : '' };
}

/** Settles one record, or says why it must come again. */
function judge(one: Rendered, result: ItemResult | undefined, settle: Settle): string | undefined {
  if (result === undefined) return 'no status';
  const { status, type } = result;
  if (status === 200 || status === 201 || status === 409) settle.delivered([one]);
  // Only this says that the document itself does not fit; 401, 403, 404 and the like wait for an operator.
  else if (status === 400 && type !== 'index_closed_exception')
    settle.refused([one], `the receiver refuses it (400 ${type})`);
  else return `${status} ${type}`.trim();
  return undefined;
}

/** A data stream takes only documents with `@timestamp`, which OCSF and our own record do not have. */
function withTimestamp(json: string, { record }: ExportRecord, kind: ElasticBulkSettings['target']['kind']): string {
  if (kind === 'index' || json.startsWith('{"@timestamp":')) return json;
  return `{"@timestamp":${JSON.stringify(isoTime(record.occurredAtMs))},${json.slice(1)}`;
}
