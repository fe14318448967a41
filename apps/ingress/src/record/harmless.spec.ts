import { expect, it } from 'vitest';
import { harmless } from './harmless.js';

it.each([
  ['a\u0000b', 'a\ufffdb'],
  ['\ud800', '\ufffd'],
  ['\udfff!', '\ufffd!'],
  ['a pair \u{1f600} stays', 'a pair \u{1f600} stays'],
  ['\\u0000', '\\u0000'],
  ['\\\u0000', '\\\ufffd'],
  ['\\\\ud800', '\\\\ud800'],
  ['"\u0000"', '"\ufffd"'],
])('makes %j harmless and leaves the rest as it is', (text, expected) => {
  expect(JSON.parse(harmless(JSON.stringify({ [text]: text })))).toEqual({ [expected]: expected });
});
