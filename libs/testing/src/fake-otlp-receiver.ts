import { z } from 'zod';
import { type FakeAnswer, FakeReceiver, fakeJson, type ReceivedRequest } from './fake-receiver.js';

const Int64 = z.string().regex(/^-?\d{1,19}$/);
const Fixed64 = z.string().regex(/^\d{1,20}$/);
type Value =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: Value[] } };
const AnyValue: z.ZodType<Value> = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: Int64 }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(AnyValue) }) }),
  ]),
);
const Attributes = z
  .array(z.strictObject({ key: z.string().min(1), value: AnyValue }))
  .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, 'keys are unique');
const LogRecord = z.strictObject({
  timeUnixNano: Fixed64.optional(),
  observedTimeUnixNano: Fixed64.optional(),
  severityNumber: z.int().min(0).max(24).optional(),
  severityText: z.string().optional(),
  eventName: z.string().optional(),
  body: AnyValue.optional(),
  attributes: Attributes.optional(),
  droppedAttributesCount: z.int().min(0).optional(),
  flags: z.int().min(0).optional(),
  traceId: z
    .string()
    .regex(/^[0-9a-fA-F]{32}$/)
    .optional(),
  spanId: z
    .string()
    .regex(/^[0-9a-fA-F]{16}$/)
    .optional(),
});
export type FakeLogRecord = z.infer<typeof LogRecord>;
const Resource = z.strictObject({ attributes: Attributes, droppedAttributesCount: z.int().min(0).optional() });
const Scope = z.strictObject({ name: z.string(), version: z.string().optional(), attributes: Attributes.optional() });
const ExportLogsRequest = z.strictObject({
  resourceLogs: z.array(
    z.strictObject({
      resource: Resource.optional(),
      scopeLogs: z.array(
        z.strictObject({ scope: Scope.optional(), logRecords: z.array(LogRecord), schemaUrl: z.string().optional() }),
      ),
      schemaUrl: z.string().optional(),
    }),
  ),
});

/**
 * A receiver of OTLP logs over HTTP in JSON. It takes the JSON mapping by the letter: 64-bit numbers are strings, trace
 * ids hex, enums numbers. A real receiver ignores members that it does not know; this one refuses them.
 */
export class FakeOtlpReceiver {
  readonly logs: { readonly node: string; readonly record: FakeLogRecord }[] = [];
  /** Records that are rejected out of a request whose others are taken. */
  rejects: (record: FakeLogRecord) => boolean = () => false;
  /** Bodies that cannot be read at all (400). */
  bodyBytesMax = Infinity;
  receiver!: FakeReceiver;

  private constructor(private readonly header: { readonly name: string; readonly value: string } | undefined) {}

  /** @param header - one that every request must have, the name in lower case */
  static async start(header?: { readonly name: string; readonly value: string }): Promise<FakeOtlpReceiver> {
    const fake = new FakeOtlpReceiver(header);
    fake.receiver = await FakeReceiver.start((request) => fake.answer(request));
    return fake;
  }

  private answer({ method, path, headers, body }: ReceivedRequest): FakeAnswer {
    if (this.header !== undefined && headers[this.header.name] !== this.header.value)
      return refused(401, 16, 'unauthenticated');
    if (path !== '/v1/logs') return refused(404, 5, 'not found');
    if (method !== 'POST') return refused(405, 12, 'method not allowed');
    if (headers['content-type'] !== 'application/json') return refused(415, 3, 'unsupported media type');
    if (Buffer.byteLength(body) > this.bodyBytesMax) return refused(413, 8, 'too large');
    const read = ExportLogsRequest.safeParse(parse(body));
    if (!read.success) return refused(400, 3, z.prettifyError(read.error));
    let rejected = 0;
    for (const { resource, scopeLogs } of read.data.resourceLogs) {
      const instance = resource?.attributes.find(({ key }) => key === 'service.instance.id')?.value;
      const node = instance !== undefined && 'stringValue' in instance ? instance.stringValue : '';
      for (const record of scopeLogs.flatMap(({ logRecords }) => logRecords)) {
        if (this.rejects(record)) rejected++;
        else this.logs.push({ node, record });
      }
    }
    if (rejected === 0) return fakeJson(200, { partialSuccess: {} });
    return fakeJson(200, { partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: 'not of my kind' } });
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** `google.rpc.Status`, which the specification asks for in the body of a refusal. */
function refused(status: number, code: number, message: string): FakeAnswer {
  return fakeJson(status, { code, message });
}
