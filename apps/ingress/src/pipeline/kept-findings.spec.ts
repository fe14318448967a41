import type { Finding } from '@warder/contracts';
import { expect, it } from 'vitest';
import { keep, mostTelling } from './kept-findings.js';

const finding = (detector: string, action: Finding['action'], place = '/a', count = 1): Finding => ({
  detector,
  category: 'pii',
  action,
  phase: 'response',
  place,
  count,
});

it('counts what is past the bound with its kind, and keeps each kind', () => {
  const kept: Finding[] = [];
  for (let at = 0; at < 3; at += 1) keep(kept, [finding('a', 'log'), finding('b', 'block', '/b')], 2);
  expect(kept).toEqual([
    finding('a', 'log'),
    finding('b', 'block', '/b'),
    finding('b', 'block', '', 2),
    finding('a', 'log', '', 2),
  ]);
});

it('keeps a bounded number of kinds', () => {
  const kept: Finding[] = [];
  keep(
    kept,
    Array.from({ length: 5_000 }, (_, at) => finding(`provider.one.c${at}`, 'flag')),
    2,
  );
  expect(kept).toHaveLength(1_002);
});

it('puts one of each kind on record, the most severe first, where not all fit', () => {
  const many = [...Array.from({ length: 10 }, () => finding('a', 'log')), finding('b', 'block')];
  expect(mostTelling(many, 3)).toEqual([finding('b', 'block'), finding('a', 'log'), finding('a', 'log')]);
  expect(mostTelling(many, 11)).toBe(many);
});
