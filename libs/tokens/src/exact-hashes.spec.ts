import { expect, it } from 'vitest';
import { exactHashes } from './exact-hashes.js';

it('hashes with a key of its own for each pepper, so that lists of both are read while one follows the other', () => {
  const hashes = exactHashes({
    p1: 'a pepper of at least thirty-two characters',
    p2: 'another pepper of thirty-two characters',
  });
  const [one, two] = ['p1', 'p2'].map((id) => hashes.get(id)!('482913'));
  expect(one).toMatch(/^[\w-]{22}$/);
  expect(hashes.get('p1')!('482913')).toBe(one);
  expect(one).not.toBe(two);
  expect(hashes.get('p3')).toBeUndefined();
});
