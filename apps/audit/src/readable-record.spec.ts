import { auditRecordedTopic } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { readRecord } from './readable-record.js';

const whole = JSON.stringify(auditRecordedTopic.example);
/** The record with another JSON text in the place of an argument. */
const withArgument = (json: string): Buffer => Buffer.from(whole.replace('"hi"', json));
const BROKEN = { reason: 'a text with a NUL or half of a surrogate pair' };

describe('reading a record', () => {
  it('gives the record of a message', () => {
    expect(readRecord(Buffer.from(whole))).toEqual({ record: auditRecordedTopic.example });
  });

  it.each([
    ['a NUL', String.raw`"a\u0000b"`],
    ['a NUL behind escaped backslashes', String.raw`"a\\\\\u0000"`],
    ['a first half', String.raw`"\ud83d"`],
    ['two first halves', String.raw`"\uD83D\uD83d\ude00"`],
    ['a second half', String.raw`"\uDE00 \ud83d\ude00"`],
    ['a half and an escape that is none', String.raw`"\ud83d\\ude00"`],
    ['a name with one', String.raw`{"\u0000":1}`],
    ['one that a second member of the name hides', String.raw`{"a":"\u0000","a":"x"}`],
  ])('sets aside %s', (_what, json) => {
    expect(readRecord(withArgument(json))).toEqual(BROKEN);
  });

  it.each([
    ['a whole pair', String.raw`"\ud83d\uDE00"`],
    ['a pair that is not escaped', '"\u{1f600}"'],
    ['the text of an escape', String.raw`"\\u0000 \\ud83d C:\\udata"`],
    ['a backslash before a pair', String.raw`"\\\ud83d\ude00"`],
  ])('takes %s', (_what, json) => {
    expect(readRecord(withArgument(json))).toHaveProperty('record');
  });

  it.each([
    ['more than one line', Buffer.from(whole.replace(',', ',\n')), 'not one line'],
    ['a carriage return', Buffer.from(`${whole}\r`), 'not one line'],
    ['a mark before the text', Buffer.from(`\ufeff${whole}`), 'not JSON'],
    ['two texts', Buffer.from(`${whole},${whole}`), 'not JSON'],
    ['half a character', Buffer.concat([Buffer.from(whole), Buffer.of(0xe2, 0x82)]), 'not UTF-8'],
    ['a number past all', Buffer.from(whole.replace('1790000000000', '1e999')), 'not an audit record: occurredAtMs: '],
  ])('says why %s is no record', (_what, value, reason) => {
    expect(readRecord(value)).toEqual({ reason: expect.stringContaining(reason) as string });
  });
});
