import { type FakeAnswer, FakeReceiver, fakeJson, type ReceivedRequest } from './fake-receiver.js';
import { isSignedPost } from './signed-post.js';

/**
 * A receiver of Standard Webhooks: it knows one secret, checks signature and time before it looks at the body, and
 * keeps a record once however often it comes.
 */
export class FakeWebhookReceiver {
  /** By record id, in the order of their first arrival: the text of the event. */
  readonly records = new Map<string, unknown>();
  bodyBytesMax = Infinity;
  receiver!: FakeReceiver;

  private constructor(
    private readonly secret: string,
    private readonly nowMs: () => number,
  ) {}

  static async start(secret: string, nowMs: () => number): Promise<FakeWebhookReceiver> {
    const fake = new FakeWebhookReceiver(secret, nowMs);
    fake.receiver = await FakeReceiver.start((request) => fake.answer(request));
    return fake;
  }

  private answer(request: ReceivedRequest): FakeAnswer {
    if (!isSignedPost(request, this.secret, this.nowMs())) return { status: 401, body: '' };
    if (Buffer.byteLength(request.body) > this.bodyBytesMax) return { status: 413, body: '' };
    const { type, timestamp, data } = JSON.parse(request.body) as {
      type: string;
      timestamp: string;
      data: { records: { id: string; event: unknown }[] };
    };
    if (type !== 'warder.audit.records' || new Date(timestamp).toISOString() !== timestamp)
      return { status: 400, body: '' };
    for (const { id, event } of data.records) if (!this.records.has(id)) this.records.set(id, event);
    return fakeJson(202, {});
  }
}
