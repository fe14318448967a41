import { expect, it } from 'vitest';
import { isNamedIn, knownAs, needlesOf } from './subject-names.js';

const EVA = { id: 'usr_gone', knownAs: ['eva@example.com', 'Eva Lind', 'Åsa "Q" Öberg'] };
const saying = (value: unknown): string =>
  JSON.stringify({ salt: 's', principal: { name: 'Eva Lind', email: 'x' }, arguments: { bytes: 1, value } });

it.each([
  ['usr_gone'],
  ['/principals/usr_gone/tokens'],
  ['%2Fprincipals%2Fusr_gone'],
  ['subject=USR_GONE;'],
  ['EVA@example.com'],
  ['mail to <eva@example.com>, please'],
  ['a line\neva@example.com'],
  ['human=eva%40example.com&days=7'],
  ['dear Eva Lind!'],
  ['name=Eva+Lind'],
  ['name=eva%20lind'],
  ['to Åsa "Q" Öberg'],
  [{ 'eva@example.com': 1 }],
  [[[[['of usr_gone']]]]],
])('finds the subject in %j', (value) => {
  expect(isNamedIn(saying(value), EVA)).toBe(true);
  const text = saying(value).toLowerCase();
  // What the databases are asked for first holds all of it.
  expect(needlesOf(EVA).some((needle) => text.includes(needle.toLowerCase()))).toBe(true);
});

it.each([
  ['usr_gone2'],
  ['xusr_gone'],
  ['usr_gone-2'],
  ['neva@example.com'],
  ['x.eva@example.com'],
  ['eva@example.com.evil'],
  ['eva@example.community'],
  ['Eva Lindqvist'],
  ['Eva'],
  [null],
])('does not take %j for the subject', (value) => {
  expect(isNamedIn(saying(value), EVA)).toBe(false);
});

it('takes an id that is a word for the subject only where it is a whole text', () => {
  const word = { id: 'root', knownAs: [] };
  expect([saying('root'), saying('the root of it')].map((text) => isNamedIn(text, word))).toEqual([true, false]);
});

it('looks for addresses and names of two words, and for so many', () => {
  const called = [
    { name: 'Eva', email: null },
    { name: ' Eva Lind ', email: 'eva@example.com' },
    { name: 'E L', email: 'no address' },
    { name: 7, email: 'x'.repeat(400) },
  ];
  expect(knownAs(called)).toEqual(['eva@example.com', 'Eva Lind']);
  expect(knownAs(Array.from({ length: 100 }, (_, n) => ({ email: `${n}@example.com` })))).toHaveLength(32);
});

it('reads a value however deep it is', () => {
  const deep = `${'['.repeat(5_000)}"usr_gone"${']'.repeat(5_000)}`;
  expect(isNamedIn(`{"salt":"s","arguments":{"bytes":1,"value":${deep}}}`, EVA)).toBe(true);
});
