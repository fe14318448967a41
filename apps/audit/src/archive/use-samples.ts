import { parseJson, stringifyJson } from '@warder/mcp-wire';

/** Arguments of a record of which nothing else is told: its time and id, and the capture as it was recorded. */
export function sampleText(recordText: string): string {
  const { recordId, occurredAtMs, personal } = parseJson(recordText) as {
    recordId: string;
    occurredAtMs: number;
    personal: { arguments: unknown } | null;
  };
  return stringifyJson({ recordId, occurredAtMs, arguments: personal?.arguments ?? null });
}
