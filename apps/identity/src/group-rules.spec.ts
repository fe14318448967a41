import { describe, expect, it } from 'vitest';
import { GroupRule, mapGroups, normalisedName } from './group-rules.js';

describe('mapGroups', () => {
  it('gives the same name, normalised, by a rule that names no target', () => {
    expect(mapGroups([{ from: '*' }], ['Developers', 'Équipe SRE (EU)', '***'])).toEqual({
      groups: ['developers', 'equipe-sre-eu'],
      roles: [],
    });
  });

  it('gives nothing for a name that no rule maps, and nothing at all without rules', () => {
    expect(mapGroups([{ from: 'Developers', to: 'developers' }], ['Sales'])).toEqual({ groups: [], roles: [] });
    expect(mapGroups([], ['Developers'])).toEqual({ groups: [], roles: [] });
  });

  it('takes every rule that matches, each group and role once', () => {
    const rules: GroupRule[] = [
      { from: 'Platform *', to: 'platform' },
      { from: 'platform ops', to: 'operators', role: 'operator' },
      { from: '*', role: 'member' },
    ];
    expect(mapGroups(rules, ['PLATFORM OPS', 'Platform Dev'])).toEqual({
      groups: ['operators', 'platform'],
      roles: ['member', 'operator'],
    });
  });

  it.each([
    ['warder-*', 'team-*', 'Warder-Data Lake', ['team-data-lake']],
    ['warder-*', '*', 'warder-$&', []],
    ['*-prod', '*', 'eu-west-prod', ['eu-west']],
    ['a*b*c', '*', 'a1b2c', ['1']],
    ['a*b*c', 'x', 'acb', []],
    ['aa*aa', 'x', 'aaa', []],
    ['5F2D-*', 'x', '5f2d-44', ['x']],
  ])('matches %s to %s with %s', (from, to, name, groups) => {
    expect(mapGroups([{ from, to }], [name]).groups).toEqual(groups);
  });

  it('gives no role unless a rule says so, whatever the group is called', () => {
    expect(mapGroups([{ from: '*' }], ['admin', 'auditor'])).toEqual({ groups: ['admin', 'auditor'], roles: [] });
  });

  it('answers at once for a pattern made to be slow', () => {
    const from = `${'*a'.repeat(127)}*b`;
    expect(mapGroups([{ from, to: 'x' }], ['a'.repeat(100_000)]).groups).toEqual([]);
  });
});

describe('normalisedName', () => {
  it('never cuts a name, which might then be that of another group', () => {
    expect(normalisedName('x'.repeat(40))).toBe('x'.repeat(40));
    expect(normalisedName('x'.repeat(41))).toBeUndefined();
  });
});

describe('a rule', () => {
  it.each([{ from: '' }, { from: 'a', to: 'Not A Name' }, { from: 'a', to: '*-*' }, { from: 'a', role: 'root' }])(
    'is refused where it could never hold: %j',
    (rule) => {
      expect(GroupRule.safeParse(rule).success).toBe(false);
    },
  );
});
