import { parseJson, stringifyJson } from '@warder/mcp-wire';
import { expect, it } from 'vitest';
import { withoutCredential } from './credential-mask.js';

const MASK = '[redacted:secret.upstream-credential]';
const headers = { authorization: 'Bearer zulu-7f3a-canary', 'x-team': 'a' };

it('takes a credential out wherever it stands, with its scheme and without', () => {
  const answer = {
    result: {
      content: [{ type: 'text', text: 'sent "authorization: Bearer zulu-7f3a-canary" and zulu-7f3a-canary' }],
      'zulu-7f3a-canary': { deep: ['zulu-7f3a-canary', 1, null] },
    },
  };
  const before = structuredClone(answer);
  expect(withoutCredential(answer, headers)).toEqual({
    result: {
      content: [{ type: 'text', text: `sent "authorization: ${MASK}" and ${MASK}` }],
      [MASK]: { deep: [MASK, 1, null] },
    },
  });
  expect(answer).toEqual(before);
});

it('takes a password out that an upstream read of Basic credentials', () => {
  const basic = { authorization: `Basic ${Buffer.from('robot:zulu-pässword').toString('base64')}` };
  const said = 'no robot:zulu-pässword, nor zulu-pässword, nor robot';
  expect(withoutCredential({ said }, basic)).toEqual({ said: `no ${MASK}, nor ${MASK}, nor robot` });
});

it('hands on the same value where there is nothing to take out', () => {
  const answer = { result: { content: [{ type: 'text', text: 'a Bearer of news' }] } };
  expect(withoutCredential(answer, headers)).toBe(answer);
  expect(withoutCredential(answer, {})).toBe(answer);
});

it('keeps numbers to the digit, and a member called __proto__', () => {
  const text = '{"n":9007199254740993,"__proto__":{"k":1e400},"t":"zulu-7f3a-canary"}';
  const clean = stringifyJson(withoutCredential(parseJson(text, 8), headers));
  expect(clean).toBe(`{"n":9007199254740993,"__proto__":{"k":1e400},"t":"${MASK}"}`);
});
