import { describe, expect, it } from 'vitest';
import { differences, type UseLine } from './compared-uses.js';

const line = (tool: string, change: Partial<UseLine> = {}): UseLine => ({
  agent: { id: 'pat_1', name: 'laptop' },
  human: { id: 'usr_1', name: 'Ana Ortiz', email: 'ana@example.com' },
  upstream: 'files',
  tool,
  count: 3,
  refused: 1,
  firstAtMs: 10,
  lastAtMs: 20,
  ...change,
});
const counted = [line('read'), line('write')];

describe('the comparison of an answer with the records', () => {
  it('finds nothing where both say the same', () => {
    const { lastAtMs, ...before } = line('read');
    const otherOrder = { lastAtMs, ...before };
    expect(differences([otherOrder, line('write')], counted)).toEqual([]);
  });

  it('notices a line that is missing, too many or told twice', () => {
    expect(differences([line('read')], counted)).toHaveLength(1);
    expect(differences([...counted, line('delete')], counted)).toHaveLength(1);
    expect(differences([...counted, line('read')], counted)).toHaveLength(1);
  });

  it.each([
    { count: 4 },
    { refused: 0 },
    { firstAtMs: 11 },
    { lastAtMs: 19 },
    { agent: { id: 'pat_1', name: 'phone' } },
    { agent: null },
    { human: { id: 'usr_1', name: 'Ana Ortiz', email: null } },
    { human: { id: 'usr_2', name: 'Ana Ortiz', email: 'ana@example.com' } },
  ])('notices a line that differs in %o', (change) => {
    expect(differences([line('read', change), line('write')], counted)).not.toEqual([]);
  });
});
