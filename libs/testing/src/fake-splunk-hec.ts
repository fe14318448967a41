import { type FakeAnswer, FakeReceiver, fakeJson, type ReceivedRequest } from './fake-receiver.js';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const KEYS_OF_EVENTS = new Set(['time', 'host', 'source', 'sourcetype', 'index', 'fields', 'event']);

export interface FakeSplunkOptions {
  readonly token: string;
  readonly acknowledgement?: boolean;
  readonly bodyBytesMax?: number;
  /** Indexes that the token may write to; any without it. */
  readonly indexes?: readonly string[];
  /** Events before an invalid one of the same post are indexed. The manual does not say, so both are tried. */
  readonly indexesBeforeInvalid?: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface SplunkEvent {
  readonly time?: number;
  readonly host?: string;
  readonly source?: string;
  readonly sourcetype?: string;
  readonly index?: string;
  readonly fields?: Record<string, string>;
  readonly event: unknown;
  /** The event object's own text. */
  readonly text: string;
}

/**
 * Splunk's HTTP Event Collector as its manual says, codes included, stricter in one thing: it refuses members of an
 * event that the manual does not know. An `ackId` is forgotten once it was answered true.
 */
export class FakeSplunkHec {
  readonly indexed: SplunkEvent[] = [];
  /** While true nothing is indexed, so no acknowledgement comes, until `index` is called. */
  holdsIndexing = false;
  private nextAckId = 0;
  /** Channel and ack id to the events that wait, or to nothing once they are indexed. */
  private readonly posts = new Map<string, SplunkEvent[]>();
  receiver!: FakeReceiver;

  private constructor(private readonly options: FakeSplunkOptions) {}

  static async start(options: FakeSplunkOptions): Promise<FakeSplunkHec> {
    const fake = new FakeSplunkHec(options);
    fake.receiver = await FakeReceiver.start((request) => fake.answer(request), options.tls);
    return fake;
  }

  /** Indexes what waits. */
  index(): void {
    for (const events of this.posts.values()) this.indexed.push(...events.splice(0));
  }

  /** The indexer dies: what waits is lost, and nobody knows its channels any more. */
  loseWaiting(): void {
    this.posts.clear();
    this.nextAckId = 0;
  }

  private answer(request: ReceivedRequest): FakeAnswer {
    const refusal = this.refuse(request);
    if (refusal !== undefined) return refusal;
    if (request.path === '/services/collector/ack') return this.acknowledge(request);
    if (request.path !== '/services/collector/event' && request.path !== '/services/collector')
      return fakeJson(404, { text: 'The requested URL was not found on this server.', code: 404 });
    if (Buffer.byteLength(request.body) > (this.options.bodyBytesMax ?? Infinity))
      return { status: 413, body: 'too large' };
    return this.take(request);
  }

  private refuse({ method, headers }: ReceivedRequest): FakeAnswer | undefined {
    if (method !== 'POST') return { status: 405, body: '' };
    const { authorization } = headers;
    if (authorization === undefined) return said(401, 2, 'Token is required');
    const [scheme, token] = authorization.split(' ');
    if (scheme !== 'Splunk' || token === undefined) return said(401, 3, 'Invalid authorization');
    if (token !== this.options.token) return said(403, 4, 'Invalid token');
    return undefined;
  }

  private channelOf(request: ReceivedRequest): string | FakeAnswer {
    const channel = request.headers['x-splunk-request-channel'] ?? request.query.get('channel') ?? undefined;
    if (channel === undefined) return said(400, 10, 'Data channel is missing');
    return GUID.test(channel) ? channel : said(400, 11, 'Invalid data channel');
  }

  private take(request: ReceivedRequest): FakeAnswer {
    const channel = this.options.acknowledgement === true ? this.channelOf(request) : '';
    if (typeof channel !== 'string') return channel;
    if (request.body.trim() === '') return said(400, 5, 'No data');
    const events: SplunkEvent[] = [];
    for (const [number, text] of objectsOf(request.body).entries()) {
      const read = this.read(text);
      if (typeof read !== 'number') {
        events.push(read);
        continue;
      }
      if (this.options.indexesBeforeInvalid === true) this.indexed.push(...events);
      return fakeJson(400, { text: 'Invalid', code: read, 'invalid-event-number': number });
    }
    if (this.options.acknowledgement !== true) {
      this.indexed.push(...events);
      return fakeJson(200, { text: 'Success', code: 0 });
    }
    const ackId = this.nextAckId++;
    this.posts.set(`${channel}/${ackId}`, events);
    if (!this.holdsIndexing) this.index();
    return fakeJson(200, { text: 'Success', code: 0, ackId });
  }

  /** The event, or the code that says why it is none. */
  private read(text: string): SplunkEvent | number {
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      return 6;
    }
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return 6;
    const known = event as Record<string, unknown>;
    if (!('event' in known)) return 12;
    if (known.event === '' || known.event === null) return 13;
    if (Object.keys(known).some((key) => !KEYS_OF_EVENTS.has(key))) return 6;
    if ('time' in known && !Number.isFinite(Number(known.time))) return 6;
    if ('fields' in known && !isFlat(known.fields)) return 15;
    if ('index' in known && (typeof known.index !== 'string' || this.options.indexes?.includes(known.index) === false))
      return 7;
    return { ...(known as unknown as SplunkEvent), text };
  }

  private acknowledge(request: ReceivedRequest): FakeAnswer {
    if (this.options.acknowledgement !== true) return said(400, 14, 'ACK is disabled');
    const channel = this.channelOf(request);
    if (typeof channel !== 'string') return channel;
    const { acks } = JSON.parse(request.body) as { acks?: unknown };
    if (!Array.isArray(acks) || !acks.every(Number.isInteger)) return said(400, 6, 'Invalid data format');
    const answered = acks.map((ackId: number) => {
      const key = `${channel}/${ackId}`;
      const isIndexed = this.posts.get(key)?.length === 0;
      if (isIndexed) this.posts.delete(key);
      return [String(ackId), isIndexed] as const;
    });
    return fakeJson(200, { acks: Object.fromEntries(answered) });
  }
}

function said(status: number, code: number, text: string): FakeAnswer {
  return fakeJson(status, { text, code });
}

function isFlat(fields: unknown): boolean {
  return (
    typeof fields === 'object' &&
    fields !== null &&
    !Array.isArray(fields) &&
    Object.values(fields).every((value) => typeof value === 'string' || typeof value === 'number')
  );
}

/** The texts of JSON objects that stand one behind the other; what is between them belongs to the next and spoils it. */
function objectsOf(body: string): string[] {
  const texts: string[] = [];
  let start = 0;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < body.length; at++) {
    const letter = body[at];
    if (isInString) {
      if (letter === '\\') at++;
      else if (letter === '"') isInString = false;
    } else if (letter === '"') isInString = true;
    else if (letter === '{') depth++;
    else if (letter === '}' && --depth === 0) {
      texts.push(body.slice(start, at + 1).trim());
      start = at + 1;
    }
  }
  const rest = body.slice(start).trim();
  return rest === '' ? texts : [...texts, rest];
}
