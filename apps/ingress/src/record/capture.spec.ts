import { createHash } from 'node:crypto';
import { Capture } from '@warder/contracts';
import { expect, it } from 'vitest';
import { captureText } from './capture.js';

const capture = (json: string) => Capture.parse(JSON.parse(captureText(json)));

it('keeps 16 KiB whole', () => {
  const text = 'x'.repeat(16_382);
  expect(capture(JSON.stringify(text))).toEqual({ bytes: 16_384, value: text });
});

it('keeps the first 16 KiB of more, its length in bytes and its hash', () => {
  const json = JSON.stringify('x'.repeat(20_000));
  expect(capture(json)).toEqual({
    bytes: 20_002,
    head: json.slice(0, 16_384),
    sha256: createHash('sha256').update(json).digest('hex'),
  });
});

it('cuts between characters, never within one', () => {
  const found = capture(JSON.stringify(`x${'€'.repeat(6_000)}`)) as { head: string };
  expect(found.head).not.toContain('\ufffd');
  expect(Buffer.byteLength(found.head)).toBe(16_382);
});
