import { describe, expect, it } from 'vitest';
import { ledgerViolations, type RuledRecord } from './ledger-rule.js';

const record = (nonce: string, change: Partial<RuledRecord> = {}): RuledRecord => ({
  recordId: `of-${nonce}`,
  tool: 'echo',
  decision: 'permit',
  outcome: 'success',
  refusal: null,
  personal: { arguments: { bytes: 20, value: { nonce } } },
  ...change,
});
const entry = (nonce: string | null) => ({ nonce, tool: 'echo' });

describe('the ledger rule', () => {
  it('holds when every act has its record, however it ended', () => {
    const records = [record('a'), record('b', { outcome: 'unknown' }), record('c', { outcome: 'failure' })];
    expect(ledgerViolations([entry('a'), entry('b')], records)).toEqual([]);
  });

  it('finds an act without a record, with two, and one that happened twice', () => {
    const records = [record('two'), record('two', { recordId: 'other' }), record('twice', { outcome: 'unknown' })];
    expect(ledgerViolations([entry('none'), entry('two'), entry('twice'), entry('twice')], records)).toEqual([
      'none was executed and has 0 records',
      'two was executed and has 2 records',
      'twice was executed 2 times',
    ]);
  });

  it('finds a success that never happened and an act that was forbidden', () => {
    const records = [record('idle'), record('no', { decision: 'forbid', outcome: 'failure' })];
    expect(ledgerViolations([entry('no')], records)).toEqual([
      'success of-idle (idle) has 0 entries',
      'forbidden of-no (no) was executed',
    ]);
  });

  it('does not let acts without a nonce hide', () => {
    expect(ledgerViolations([entry(null)], [])).toEqual(['an entry of echo has no nonce']);
  });

  it('reads the nonce of cut arguments', () => {
    const cut = record('a', {
      personal: { arguments: { bytes: 90_000, head: '{"nonce":"a","text":"xx', sha256: '00' } },
    });
    expect(ledgerViolations([entry('a')], [cut])).toEqual([]);
  });
});
