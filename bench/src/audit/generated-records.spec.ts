import { AuditRecord } from '@warder/contracts';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RecordGenerator } from './generated-records.js';

const AT_MS = Date.parse('2026-11-25T12:00:00Z');

describe('generated records', () => {
  const generator = new RecordGenerator(1);
  const texts = Array.from({ length: 2_000 }, (_, index) => generator.next(AT_MS + index).value.toString());
  const records = texts.map((text) => AuditRecord.parse(JSON.parse(text)));

  it('commit to the exact bytes of what is personal, which comes last', () => {
    for (const [index, text] of texts.entries()) {
      const personal = text.slice(text.indexOf(',"personal":') + ',"personal":'.length, -1);
      expect(records[index]!.commitment).toBe(createHash('sha256').update(personal).digest('hex'));
    }
  });

  it('are as long as real ones', () => {
    const lengths = texts.map((text) => Buffer.byteLength(text)).toSorted((one, other) => one - other);
    expect(lengths[1_000]).toBeGreaterThan(1_700);
    expect(lengths[1_000]).toBeLessThan(1_800);
  });

  it('are each another, numbered without a gap, and of many people, tools and upstreams', () => {
    expect(new Set(records.map(({ recordId }) => recordId)).size).toBe(2_000);
    expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 2_000 }, (_, index) => index + 1));
    expect(new Set(records.map(({ principal }) => principal?.id)).size).toBeGreaterThan(150);
    expect(new Set(records.map(({ upstream, tool }) => `${upstream}/${tool}`)).size).toBeGreaterThan(60);
    expect(new Set(records.map(({ decision }) => decision))).toEqual(new Set(['permit', 'forbid']));
  });

  it('are the same for the same seed', () => {
    const bytes = (seed: number) => new RecordGenerator(seed).next(AT_MS).value;
    expect(bytes(5)).toEqual(bytes(5));
    expect(bytes(5)).not.toEqual(bytes(6));
  });
});
