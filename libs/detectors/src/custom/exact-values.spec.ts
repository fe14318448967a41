import { CustomRules, type GuardrailRulesState } from '@warder/contracts';
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../engine.js';
import { exactShape, normalValue } from './exact-values.js';

const actions = { secret: 'redact', pii: 'redact', injection: 'flag', hidden: 'flag' } as const;
const hash = (normal: string) =>
  createHmac('sha256', 'key').update(normal).digest().subarray(0, 16).toString('base64url');
const packOf = (values: readonly string[], onError: 'open' | 'closed' = 'closed'): GuardrailRulesState => {
  const normals = values.map(normalValue);
  const list = { id: 'custom.staff', category: 'pii', onError, keyId: 'k1', shape: exactShape(normals) };
  const custom = CustomRules.parse({ exact: [{ ...list, hashes: normals.map(hash) }] });
  return { version: 1, status: 'active', pack: 'custom', detectors: [], custom };
};
const engineOf = (values: readonly string[]) => createEngine([packOf(values)], new Map([['k1', hash]]));
const screened = (values: readonly string[], value: unknown) =>
  engineOf(values).screen(value, 'request', actions).value;
const MASK = '[redacted:custom.staff]';

describe('exact values', () => {
  const staff = ['482913', '700-001'];

  it.each([
    ['in a sentence', 'Employee 482913, please.', `Employee ${MASK}, please.`],
    ['at both ends', '482913 and 700001', `${MASK} and ${MASK}`],
    ['written with other marks', '482-913 48 29 13 482.913 700/001', `${MASK} ${MASK} ${MASK} ${MASK}`],
    ['behind a word and a mark', 'user_482913@x', `user_${MASK}@x`],
    ['in JSON as text', '{"id":"482913","n":482913}', `{"id":"${MASK}","n":${MASK}}`],
    ['in wide digits', '\uff14\uff18\uff12\uff19\uff11\uff13', MASK],
  ])('are found %s', (_where, text, expected) => {
    expect(screened(staff, text)).toBe(expected);
  });

  it('are found in arguments: as a string, as a number, as a key', () => {
    expect(screened(staff, { employee: 482_913, ids: ['700001'], '482913': true, other: 482_914 })).toEqual({
      employee: MASK,
      ids: [MASK],
      [MASK]: true,
      other: 482_914,
    });
  });

  it.each(['4829134', 'E482913', '1482913', '482 91 3 5 6 7 8'.replace('3 ', '4 '), '48291 4', '482--913'])(
    'are not found in %j',
    (text) => {
      expect(screened(staff, text)).toBe(text);
    },
  );

  it('are found among letters, whatever their case', () => {
    expect(screened(['DE-AB12-9'], 'see de_ab12-9 or DEAB129, not DEAB1299')).toBe(
      `see ${MASK} or ${MASK}, not DEAB1299`,
    );
  });

  it('are hashed only where a word has the length of one', () => {
    const asked: string[] = [];
    const noted = (normal: string) => {
      asked.push(normal);
      return hash(normal);
    };
    createEngine([packOf(staff)], new Map([['k1', noted]])).screen(
      'see 12345 abcdef 123456 1234567',
      'request',
      actions,
    );
    expect(asked).toEqual(['123456']);
  });
});

describe('a node that has not the key', () => {
  const finding = { detector: 'undecided.exact-values', category: 'pii', phase: 'request', place: '', count: 1 };
  const onError = (word: 'open' | 'closed', words: object = actions) =>
    createEngine([packOf(['482913'], word)], new Map([['k2', hash]])).screen(['x'], 'request', words as typeof actions);

  it('lets nothing through, keeps nothing of it, and reports the list', () => {
    expect(onError('closed')).toEqual({
      verdict: 'reject',
      value: '[redacted:undecided.exact-values]',
      findings: [{ ...finding, action: 'block' }],
    });
    expect(createEngine([packOf(['482913'])]).unknownDetectors).toEqual(['custom.staff']);
  });

  it('goes on where the list says so, and it is on record', () => {
    expect(onError('open')).toEqual({ verdict: 'pass', value: ['x'], findings: [{ ...finding, action: 'log' }] });
  });

  it('decides as ever where nothing of the kind is looked for', () => {
    expect(onError('closed', { ...actions, pii: 'off' })).toEqual({ verdict: 'pass', value: ['x'], findings: [] });
  });
});
