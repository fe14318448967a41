import { expect, it } from 'vitest';
import { SeenRequests } from './seen-requests.js';

it('answers no request twice, for as long as its time is accepted', () => {
  const seen = new SeenRequests(1_000);
  expect(seen.take('n-1', 'a', 0)).toBe('new');
  expect(seen.take('n-1', 'a', 1_000)).toBe('seen');
  expect(seen.take('n-1', 'a', 1_001)).toBe('new');
});

it('takes from no other node, and forgets none of its own, where one asks without end', () => {
  const seen = new SeenRequests(1_000, 3);
  expect(seen.take('n-2', 'hers', 0)).toBe('new');
  const answers = ['a', 'b', 'c', 'd', 'e'].map((id) => seen.take('n-1', id, 1));
  expect(answers).toEqual(['new', 'new', 'new', 'full', 'full']);
  expect(seen.take('n-1', 'a', 2)).toBe('seen');
  expect(seen.take('n-2', 'hers', 2)).toBe('seen');
  expect(seen.take('n-2', 'another', 2)).toBe('new');
  expect(seen.take('n-1', 'd', 1_002)).toBe('new');
});
