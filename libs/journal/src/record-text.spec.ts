import { createHash } from 'node:crypto';
import { AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { fitText, joinRecord, OUTCOME_BYTES_MAX, REFUSED_OUTCOME, UNKNOWN_OUTCOME } from './record-text.js';

const { log, sequence, commitment: _, ...example } = auditRecordedTopic.example;
const { decision, outcome, refusal, isError, findings, phasesUs, count, personal, ...core } = example;
const { refusalDetail, result, ...known } = personal!;
const intentText = JSON.stringify({ ...core, personal: known });
const ended = { decision, outcome, refusal, isError, findings, phasesUs, count };
const outcomeText = JSON.stringify({ ...ended, personal: { refusalDetail, result } });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const joined = (intent: string, end?: string): string =>
  joinRecord(
    { log, sequence, index: undefined },
    Buffer.from(intent),
    end === undefined ? undefined : Buffer.from(end),
  ).toString();

describe('a record joined from the bytes of its halves', () => {
  it('is the text of the contract to the byte, with the personal object last and its hash before everything', () => {
    const { commitment, ...rest } = auditRecordedTopic.example;
    expect(joined(intentText, outcomeText)).toBe(JSON.stringify({ log, sequence, commitment, ...example }));
    expect(commitment).toBe(sha256(JSON.stringify(rest.personal)));
  });

  it('keeps every byte of what it does not read, numbers to the digit', () => {
    const spelled = intentText.replace('"hi"', '12345678901234567890, "big": 1e400, "minus": -0');
    const text = joined(spelled, outcomeText);
    expect(text).toContain('"message":12345678901234567890, "big": 1e400, "minus": -0}');
    const at = text.indexOf(',"personal":');
    expect(JSON.parse(text)).toMatchObject({ commitment: sha256(text.slice(at + ',"personal":'.length, -1)) });
  });

  it('does not take a text for the personal member, wherever somebody writes it', () => {
    const forged = ',"personal":{"salt":"x"}}';
    const intent = JSON.stringify({
      ...core,
      exposedName: forged,
      method: ',',
      personal: { ...known, address: forged },
    });
    const record = AuditRecord.parse(JSON.parse(joined(intent, outcomeText)));
    expect(record).toMatchObject({ exposedName: forged, method: ',', personal: { ...personal, address: forged } });
  });

  it('commits to the personal object of a record that came whole', () => {
    const record = AuditRecord.parse(JSON.parse(joined(JSON.stringify(example))));
    expect(record).toEqual(auditRecordedTopic.example);
  });

  it.each([
    ['unknown', UNKNOWN_OUTCOME],
    ['failure', REFUSED_OUTCOME],
  ])('is a record of the contract where the journal itself says %s', (said, end) => {
    const record = AuditRecord.parse(JSON.parse(joined(intentText, end)));
    expect(record).toMatchObject({ outcome: said, personal: { ...known, result: null } });
  });
});

const long = (findingCount: number, placeChars: number, resultChars: number): string =>
  JSON.stringify({
    outcome: 'success',
    findings: Array.from({ length: findingCount }, (__, at) => ({
      detector: 'pii.email',
      place: `/${at}`.padEnd(placeChars, '\u0001'),
    })),
    personal: { refusalDetail: null, result: { bytes: resultChars + 2, value: 'r'.repeat(resultChars) } },
  });

describe('a text that is too long for its frame', () => {
  it('always becomes one that fits, for an outcome that is refused would hold its room for ever', () => {
    for (const placeChars of [300, 4_000, 400_000]) {
      const text = fitText(long(100, placeChars, 16_000), OUTCOME_BYTES_MAX);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(OUTCOME_BYTES_MAX);
      expect(JSON.parse(text)).toMatchObject({ outcome: 'success' });
    }
  });

  it('keeps of a captured value its length, its hash and its first characters', () => {
    const value = JSON.stringify('r'.repeat(60_000));
    const { personal: left } = JSON.parse(fitText(long(0, 0, 60_000), OUTCOME_BYTES_MAX)) as { personal: object };
    const cut = { bytes: 60_002, head: value.slice(0, 1_024), sha256: sha256(value) };
    expect(left).toEqual({ refusalDetail: null, result: cut });
  });

  it('leaves the hash of a value that was cut before', () => {
    const capture = { bytes: 90_000, head: 'h'.repeat(60_000), sha256: 'of all of it' };
    const text = fitText(JSON.stringify({ outcome: 'success', personal: { result: capture } }), OUTCOME_BYTES_MAX);
    expect(JSON.parse(text)).toMatchObject({ personal: { result: { ...capture, head: 'h'.repeat(1_024) } } });
  });
});
