import { describe, expect, it } from 'vitest';
import { encodeSseMessage, SSE_KEEP_ALIVE, SseDecoder, type SseEvent, SseOverflow } from './sse.js';

function decode(chunks: readonly Uint8Array[], max = 1_000): SseEvent[] {
  const events: SseEvent[] = [];
  const decoder = new SseDecoder(max, (event) => events.push(event));
  for (const chunk of chunks) decoder.push(chunk);
  return events;
}

describe('the SSE decoder', () => {
  const stream = '\uFEFFid: 1\r\nevent: message\r\ndata: {"a":"grüße"}\r\n\r\n: ping\n\ndata:x\rdata: y\r\r\ndata\n\n';
  const expected = [
    { event: 'message', data: '{"a":"grüße"}', id: '1' },
    { event: 'message', data: 'x\ny', id: '1' },
    { event: 'message', data: '', id: '1' },
  ];

  it('gives the same events wherever the bytes are cut', () => {
    const bytes = Buffer.from(stream, 'utf8');
    expect(decode([bytes])).toStrictEqual(expected);
    for (let size = 1; size < bytes.length; size += 1) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
      expect(decode(pieces)).toStrictEqual(expected);
    }
  });

  it('reads what the encoder writes and skips keep-alives', () => {
    const text = SSE_KEEP_ALIVE + encodeSseMessage('{"n":1}') + SSE_KEEP_ALIVE;
    expect(decode([Buffer.from(text)])).toStrictEqual([{ event: 'message', data: '{"n":1}', id: undefined }]);
  });

  it('throws at an event past its bound, in one line or in many', () => {
    expect(() => decode([Buffer.from(`data: ${'x'.repeat(200)}`)], 100)).toThrow(SseOverflow);
    expect(() => decode([Buffer.from('data: xxxxxxxxx\n'.repeat(20))], 100)).toThrow(SseOverflow);
    expect(decode([Buffer.from('data: xxxxxxxxx\n\n'.repeat(20))], 100)).toHaveLength(20);
  });
});
