import { expect, it } from 'vitest';
import type { AnsweredUse } from './asked-uses.js';
import { wrongSamples } from './use-samples.js';

const record = {
  recordId: 'r1',
  upstream: 'files',
  tool: 'read',
  decision: 'permit',
  principal: { id: 'usr_1' },
  agent: { id: 'pat_1' },
  personal: { arguments: { bytes: 1, value: 1 } },
};
const use: AnsweredUse = {
  agent: { id: 'pat_1', name: 'laptop' },
  human: { id: 'usr_1', name: 'Ana Ortiz', email: null },
  upstream: 'files',
  tool: 'read',
  count: 1,
  refused: 0,
  firstAtMs: 10,
  lastAtMs: 10,
  samples: [{ recordId: 'r1', occurredAtMs: 10, arguments: { value: 1, bytes: 1 } }],
};
const wrong = (answered: AnsweredUse, ...held: object[]) =>
  wrongSamples([answered], async () => held.map((one) => JSON.stringify(one)));

it('finds nothing wrong with a sample that is a record of its line', async () => {
  expect(await wrong(use, record)).toEqual([]);
});

it('notices a sample that is no record, is of another line, or has other arguments, and one that is missing', async () => {
  expect(await wrong(use)).toHaveLength(1);
  expect(await wrong(use, { ...record, tool: 'write' })).toHaveLength(1);
  expect(await wrong(use, { ...record, principal: { id: 'usr_2' } })).toHaveLength(1);
  expect(await wrong(use, { ...record, personal: { arguments: { bytes: 1, value: 2 } } })).toHaveLength(1);
  expect(await wrong({ ...use, samples: [] }, record)).toHaveLength(1);
});
