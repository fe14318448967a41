import { type FakeAnswer, FakeReceiver, fakeJson, type ReceivedRequest } from './fake-receiver.js';

export interface FakeElasticOptions {
  /** The whole `Authorization` header. */
  readonly authorization: string;
  readonly target: string;
  readonly isDataStream: boolean;
  readonly bodyBytesMax?: number;
}

interface ItemAnswer {
  _index: string;
  _id: string;
  status: number;
  result?: string;
  error?: { type: string; reason: string };
}

/**
 * Elasticsearch's and OpenSearch's `_bulk` for one target, as their references say: a body without its last newline, an
 * unknown operation or a wrong content type is refused as a whole, a document that does not fit by itself. `filter_path`
 * is obeyed for the two paths an exporter needs.
 */
export class FakeElasticBulk {
  /** By `_id`, as the text that came. */
  readonly documents = new Map<string, string>();
  /** Type of the error that a document is refused with (400). */
  refuses: (document: Record<string, unknown>) => string | undefined = () => undefined;
  /** Statuses of the next documents, by their `_id`, each answered once. */
  readonly putOff = new Map<string, number>();
  receiver!: FakeReceiver;

  private constructor(private readonly options: FakeElasticOptions) {}

  static async start(options: FakeElasticOptions): Promise<FakeElasticBulk> {
    const fake = new FakeElasticBulk(options);
    fake.receiver = await FakeReceiver.start((request) => fake.answer(request));
    return fake;
  }

  private answer(request: ReceivedRequest): FakeAnswer {
    const { method, path, headers, body, query } = request;
    if (headers.authorization !== this.options.authorization)
      return failed(401, 'security_exception', 'unable to authenticate');
    if (method !== 'POST') return failed(405, 'method_not_allowed', method);
    if (path !== `/${this.options.target}/_bulk`) return failed(404, 'index_not_found_exception', path);
    if (!/^application\/(x-ndjson|json)(;|$)/.test(headers['content-type'] ?? ''))
      return failed(406, 'media_type_header_exception', 'Content-Type header is not supported');
    if (Buffer.byteLength(body) > (this.options.bodyBytesMax ?? Infinity)) return { status: 413, body: '' };
    if (body === '') return failed(400, 'parse_exception', 'request body is required');
    if (!body.endsWith('\n'))
      return failed(400, 'illegal_argument_exception', 'The bulk request must be terminated by a newline [\\n]');
    const lines = body.slice(0, -1).split('\n');
    const items: ItemAnswer[] = [];
    for (let at = 0; at < lines.length; at += 2) {
      const id = idOf(lines[at]);
      const source = lines[at + 1];
      if (id === undefined || source === undefined)
        return failed(400, 'illegal_argument_exception', `Malformed action/metadata line [${at + 1}]`);
      items.push(this.create(id, source));
    }
    return bulkAnswer(items, query.get('filter_path'));
  }

  private create(id: string, source: string): ItemAnswer {
    const item = { _index: this.options.target, _id: id };
    const refuse = (status: number, type: string) => ({
      ...item,
      status,
      error: { type, reason: `of [${source.slice(0, 40)}]` },
    });
    const putOff = this.putOff.get(id);
    if (putOff !== undefined) {
      this.putOff.delete(id);
      return refuse(putOff, 'es_rejected_execution_exception');
    }
    let document: Record<string, unknown>;
    try {
      document = JSON.parse(source) as Record<string, unknown>;
    } catch {
      return refuse(400, 'document_parsing_exception');
    }
    if (this.options.isDataStream && typeof document['@timestamp'] !== 'string')
      return refuse(400, 'document_parsing_exception');
    const type = this.refuses(document);
    if (type !== undefined) return refuse(400, type);
    if (this.documents.has(id)) return refuse(409, 'version_conflict_engine_exception');
    this.documents.set(id, source);
    return { ...item, status: 201, result: 'created' };
  }
}

function idOf(action: string | undefined): string | undefined {
  try {
    const parsed = JSON.parse(action ?? '') as { create?: { _id?: unknown } };
    const keys = Object.keys(parsed);
    const id = parsed.create?._id;
    return keys.length === 1 && typeof id === 'string' && id !== '' && id.length <= 512 ? id : undefined;
  } catch {
    return undefined;
  }
}

function bulkAnswer(items: readonly ItemAnswer[], filter: string | null): FakeAnswer {
  const errors = items.some(({ error }) => error !== undefined);
  if (filter === null) return fakeJson(200, { took: 1, errors, items: items.map((create) => ({ create })) });
  const paths = filter.split(',');
  return fakeJson(200, {
    ...(paths.includes('errors') ? { errors } : {}),
    items: items.map(({ status, error }) => ({
      create: {
        ...(paths.includes('items.*.status') ? { status } : {}),
        ...(error !== undefined && paths.includes('items.*.error.type') ? { error: { type: error.type } } : {}),
      },
    })),
  });
}

function failed(status: number, type: string, reason: string): FakeAnswer {
  return fakeJson(status, { error: { root_cause: [{ type, reason }], type, reason }, status });
}
