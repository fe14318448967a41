import type { ExportRecord } from './destination.js';

type AnyValue =
  { stringValue: string } | { intValue: string } | { boolValue: boolean } | { arrayValue: { values: AnyValue[] } };
interface KeyValue {
  key: string;
  value: AnyValue;
}

/**
 * One record as an OTLP `LogRecord` in the JSON mapping: 64-bit numbers are strings, trace ids hex. The body is the
 * event's text, so that it arrives to the character; the attributes are for finding it. `log.record.uid` is the record
 * id, by which a receiver can tell what comes twice.
 * @param body - the rendered event
 * @see OpenTelemetry, OTLP specification 1.x, JSON Protobuf Encoding; semantic conventions for MCP (Development)
 */
export function otlpLogRecord(exported: ExportRecord, body: string): string {
  const { record } = exported;
  const severity = severityOf(record);
  return JSON.stringify({
    timeUnixNano: nanosOf(record.occurredAtMs),
    severityNumber: severity.number,
    severityText: severity.text,
    eventName: `warder.audit.${record.kind}`,
    body: { stringValue: body },
    attributes: attributesOf(exported),
    ...(isTraceId(record.traceId) ? { traceId: record.traceId } : {}),
  });
}

/** A resource's or a record's attributes; what is null is left out. */
export function keyValues(
  entries: Readonly<Record<string, string | number | boolean | readonly string[] | null>>,
): KeyValue[] {
  return Object.entries(entries).flatMap(([key, value]) => (value === null ? [] : [{ key, value: anyValue(value) }]));
}

function anyValue(value: string | number | boolean | readonly string[]): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  return { arrayValue: { values: value.map((one) => ({ stringValue: one })) } };
}

function attributesOf({ key, record }: ExportRecord): KeyValue[] {
  const isToolCall = record.method === 'tools/call';
  return keyValues({
    'log.record.uid': key,
    'mcp.method.name': record.method,
    'mcp.protocol.version': record.protocolVersion,
    'gen_ai.operation.name': isToolCall ? 'execute_tool' : null,
    'gen_ai.tool.name': record.tool,
    'error.type': errorTypeOf(record),
    'user.id': record.principal?.id ?? null,
    'user.roles': record.principal?.groups ?? null,
    'warder.agent.id': record.agent?.id ?? null,
    'warder.virtual_server': record.virtualServer,
    'warder.upstream': record.upstream,
    'warder.decision': record.decision,
    'warder.outcome': record.outcome,
    'warder.rule': record.rule,
    'warder.log': record.log,
    'warder.sequence': record.sequence,
    'warder.count': record.count,
  });
}

function errorTypeOf({ refusal, isError, outcome }: ExportRecord['record']): string | null {
  if (refusal !== null) return refusal.code;
  if (isError) return 'tool_error';
  return outcome === 'success' ? null : outcome;
}

/** A refusal warns, a failure is an error; the rest informs. */
function severityOf({ decision, outcome }: ExportRecord['record']): { number: number; text: string } {
  if (decision === 'forbid') return { number: 13, text: 'WARN' };
  return outcome === 'success' ? { number: 9, text: 'INFO' } : { number: 17, text: 'ERROR' };
}

/** Nanoseconds since the epoch, which a double cannot hold; a time that is none is 0, as the proto says. */
function nanosOf(ms: number): string {
  const us = Math.round(ms * 1_000);
  return Number.isSafeInteger(us) && us > 0 ? `${us}000` : '0';
}

function isTraceId(traceId: string | null): boolean {
  return traceId !== null && /^[0-9a-f]{32}$/.test(traceId) && !/^0+$/.test(traceId);
}
