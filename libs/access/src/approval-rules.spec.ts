import { VirtualServer } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { approvalOf, compileApprovalRules } from './approval-rules.js';

const rulesOf = (approval?: object) =>
  compileApprovalRules(VirtualServer.parse({ tools: [], ...(approval && { approval }) }).approval);
const drop = { upstream: 'db', tool: 'drop_table' };

describe('approval by a human', () => {
  it('holds nothing where a virtual server says nothing, and is the administrators’ within an hour', () => {
    const terms = { by: [], fourEyes: false, minutes: 60 };
    expect(approvalOf(rulesOf(), drop)).toEqual({ isAlwaysHeld: false, terms });
    expect(approvalOf(rulesOf({}), drop)).toEqual({ isAlwaysHeld: false, terms });
  });

  it('holds each call of the tools that are named, on the terms of the most specific pattern', () => {
    const rules = rulesOf({
      by: ['ops'],
      minutes: 5,
      tools: { 'db/drop*': { fourEyes: true }, 'db/drop_table': { by: ['dba'], minutes: 2 }, 'mail/*': {} },
    });
    expect(approvalOf(rules, drop)).toEqual({
      isAlwaysHeld: true,
      terms: { by: ['dba'], fourEyes: false, minutes: 2 },
    });
    expect(approvalOf(rules, { upstream: 'db', tool: 'drop_view' })).toEqual({
      isAlwaysHeld: true,
      terms: { by: ['ops'], fourEyes: true, minutes: 5 },
    });
    expect(approvalOf(rules, { upstream: 'db', tool: 'select' })).toEqual({
      isAlwaysHeld: false,
      terms: { by: ['ops'], fourEyes: false, minutes: 5 },
    });
  });

  it.each([{ minutes: 0 }, { minutes: 10_081 }, { by: ['No Group'] }, { tools: { 'db/x': { four: true } } }, { x: 1 }])(
    'refuses what it does not know: %j',
    (approval) => {
      expect(VirtualServer.safeParse({ tools: [], approval }).success).toBe(false);
    },
  );
});
