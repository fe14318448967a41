import { createHmac, timingSafeEqual } from 'node:crypto';
import { type FakeAnswer, FakeReceiver, fakeJson, type ReceivedRequest } from './fake-receiver.js';

/** Seconds that a post may be old or early. */
const TOLERANCE_S = 300;

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
    if (!this.isSigned(request)) return { status: 401, body: '' };
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

  private isSigned({ headers, body, method }: ReceivedRequest): boolean {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
    if (method !== 'POST' || id === undefined || timestamp === undefined || signatures === undefined) return false;
    if (!/^\d+$/.test(timestamp) || Math.abs(this.nowMs() / 1_000 - Number(timestamp)) > TOLERANCE_S) return false;
    const key = Buffer.from(this.secret.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
    return signatures.split(' ').some((signature) => {
      const [version, encoded = ''] = signature.split(',');
      const given = Buffer.from(encoded, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
  }
}
