import { expect, it } from 'vitest';
import { slopeOf } from './slope.js';

it('fits the line through points that lie on one, and between points that do not', () => {
  expect(
    slopeOf([
      [0, 100],
      [1, 102],
      [2, 104],
    ]),
  ).toBeCloseTo(2);
  expect(
    slopeOf([
      [0, 100],
      [1, 110],
      [2, 100],
      [3, 110],
    ]),
  ).toBeCloseTo(2);
  expect(
    slopeOf([
      [0, 100],
      [5, 100],
    ]),
  ).toBe(0);
});

it('refuses points through which no line is the best', () => {
  expect(() => slopeOf([[1, 2]])).toThrow(RangeError);
  expect(() =>
    slopeOf([
      [1, 2],
      [1, 3],
    ]),
  ).toThrow(RangeError);
});
