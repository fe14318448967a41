import { ActionRules, GuardrailActions } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { ActionMatrix } from './action-matrix.js';
import { BUILT_IN_PACKS } from './built-in-packs.js';
import { createEngine } from './engine.js';

const words = { request: GuardrailActions.parse({}), response: GuardrailActions.parse({}) };
const tool = { upstream: 'wiki', tool: 'read_page' };
const scope = { virtualServer: 'dev', tool, groups: ['ops', 'people'] };
const cell = (rules: object[], detector = 'secret.jwt', direction: 'request' | 'response' = 'response') =>
  new ActionMatrix(ActionRules.parse(rules)).of(words, scope)[direction].of(detector, 'secret');

describe('which rule decides', () => {
  it('is the virtual server’s own word where none matches', () => {
    for (const other of [
      { detector: 'pii.*' },
      { direction: 'request' },
      { virtualServer: 'prod' },
      { tool: 'jira/*' },
      { group: 'guests' },
    ])
      expect(cell([{ name: 'other', action: 'block', ...other }])).toEqual({ action: 'redact' });
  });

  it.each([
    [{ detector: 'secret.*' }, { detector: 'secret.jwt' }],
    [{ detector: '*' }, { detector: 'secret.*' }],
    [{}, { direction: 'response' }],
    [{}, { virtualServer: 'dev' }],
    [{}, { group: 'ops' }],
    [{ tool: 'wiki/*' }, { tool: 'wiki/read_*' }],
    [{ tool: 'wiki/read_*' }, { tool: 'wiki/read_page' }],
  ])('is the narrower one, whatever the other says and in whichever order: %j, %j', (wide, narrow) => {
    const rules = [
      { name: 'wide', action: 'block', ...wide },
      { name: 'narrow', action: 'log', ...narrow },
    ];
    expect(cell(rules)).toMatchObject({ action: 'log', rule: 'narrow' });
    expect(cell(rules.toReversed())).toMatchObject({ action: 'log', rule: 'narrow' });
  });

  it('is the most severe of those of which none is an exception from another', () => {
    const rules = [
      { name: 'by-detector', action: 'flag', detector: 'secret.jwt' },
      { name: 'by-tool', action: 'block', tool: 'wiki/*' },
      { name: 'by-group', action: 'strip', group: 'ops' },
    ];
    expect(cell(rules)).toEqual({ action: 'block', rule: 'by-tool' });
    const exception = { name: 'both', action: 'log', detector: 'secret.jwt', tool: 'wiki/read_page' };
    expect(cell([...rules, exception])).toMatchObject({ action: 'strip', rule: 'by-group' });
    expect(cell([...rules, { ...exception, group: 'ops' }])).toMatchObject({ action: 'log', rule: 'both' });
  });

  it('is the most severe of two that name tools of which neither is part of the other, however long they are', () => {
    const rules = [
      { name: 'by-upstream', action: 'block', tool: 'wiki/*' },
      { name: 'by-verb', action: 'log', tool: '*/read_p*ge' },
    ];
    expect(cell(rules)).toEqual({ action: 'block', rule: 'by-upstream' });
    expect(cell([...rules, { name: 'both', action: 'flag', tool: 'wiki/read_p*ge' }])).toMatchObject({ rule: 'both' });
  });

  it('may be of a detector that this build does not have', () => {
    const rules = [{ name: 'judge', action: 'block', detector: 'provider.judge.*' }];
    expect(cell(rules, 'provider.judge.jailbreak')).toEqual({ action: 'block', rule: 'judge' });
    expect(cell(rules, 'provider.judges.jailbreak')).toEqual({ action: 'redact' });
  });

  it('is for what a guardrail provider finds only one that names it, and else what its operator asks for', () => {
    const of = (rules: object[], detector: string) =>
      new ActionMatrix(ActionRules.parse(rules)).of(words, scope).response.ofProvider(detector, 'block');
    const rules = [
      { name: 'all', action: 'log' },
      { name: 'judge', action: 'flag', detector: 'provider.judge.*' },
      { name: 'try', action: 'strip', detector: 'provider.presidio.PERSON', isShadow: true },
    ];
    expect(of(rules, 'provider.judge.steering')).toEqual({ action: 'flag', rule: 'judge' });
    expect(of(rules, 'provider.shields.attack')).toEqual({ action: 'block' });
    expect(of(rules, 'provider.presidio.PERSON')).toMatchObject({
      action: 'block',
      shadow: { rule: 'try', action: 'strip' },
    });
    expect(of([], 'provider.judge.steering')).toEqual({ action: 'block' });
  });

  it('is looked up again and not found again', () => {
    const matrix = new ActionMatrix(ActionRules.parse([{ name: 'a', action: 'block', group: 'ops' }]));
    expect(matrix.of(words, scope)).toBe(matrix.of(words, { ...scope, groups: ['people', 'ops'] }));
    expect(matrix.of(words, { ...scope, groups: [] }).response.of('secret.jwt', 'secret')).toEqual({
      action: 'redact',
    });
  });
});

describe('a rule on trial', () => {
  const trial = { name: 'trial', action: 'block', detector: 'secret.jwt', isShadow: true };

  it('is told beside what is done without it', () => {
    expect(cell([trial])).toMatchObject({ action: 'redact', shadow: { rule: 'trial', action: 'block' } });
    expect(cell([trial, { name: 'wide', action: 'log' }])).toMatchObject({
      action: 'log',
      rule: 'wide',
      shadow: { rule: 'trial', action: 'block' },
    });
  });

  it('is not told where one in force would beat it', () => {
    const narrow = { name: 'narrow', action: 'log', detector: 'secret.jwt', tool: 'wiki/*' };
    expect(cell([trial, narrow])).toEqual({ action: 'log', rule: 'narrow', isNamed: true });
  });
});

describe('rules', () => {
  it.each([
    [{ name: 'a', action: 'approve' }],
    [{ name: 'a', action: 'approve', direction: 'response' }],
    [{ name: 'a', action: 'ask' }],
    [{ name: 'a', action: 'log', detector: 'secret*' }],
    [{ name: 'a', action: 'log', tool: 'wiki' }],
    [{ name: 'a', action: 'log', team: 'ops' }],
    [
      { name: 'a', action: 'log' },
      { name: 'a', action: 'flag' },
    ],
  ])('that say nothing clear are refused: %j', (...rules) => {
    expect(ActionRules.safeParse(rules).success).toBe(false);
  });
});

describe('the engine with rules', () => {
  const screen = (rules: object[], value: unknown, direction: 'request' | 'response' = 'response') => {
    const packs = Object.entries(BUILT_IN_PACKS).map(([pack, detectors]) => ({
      version: 1,
      status: 'active' as const,
      pack,
      detectors: [...detectors],
    }));
    const actions = { version: 1, status: 'active' as const, pack: 'actions', detectors: [] };
    const engine = createEngine([...packs, { ...actions, actions: ActionRules.parse(rules) }]);
    return engine.screen(value, direction, engine.actionsFor(words, scope)[direction]);
  };
  const text = 'mail ana@example.com at 81.2.69.142';

  it('strips without a trace', () => {
    const { value, findings } = screen([{ name: 'gone', action: 'strip', detector: 'pii.email' }], [text]);
    expect(value).toEqual(['mail  at 81.2.69.142']);
    expect(findings).toContainEqual({
      detector: 'pii.email',
      category: 'pii',
      action: 'strip',
      phase: 'response',
      place: '/0',
      count: 1,
      rule: 'gone',
    });
  });

  it('leaves network addresses, and logs them, unless a rule names them', () => {
    const left = screen([{ name: 'all', action: 'block', detector: 'secret.*' }], [text]);
    expect(left.findings.map(({ detector, action }) => [detector, action])).toEqual([
      ['pii.ipv4', 'log'],
      ['pii.email', 'redact'],
    ]);
    const named = screen([{ name: 'ips', action: 'redact', detector: 'pii.ipv4' }], [text]);
    expect(named.value).toEqual(['mail [redacted:pii.email] at [redacted:pii.ipv4]']);
  });

  it('counts what a rule on trial would do, and does what is done without it', () => {
    const { verdict, findings } = screen([{ name: 'try', action: 'block', isShadow: true }], ['ana@example.com']);
    expect(verdict).toBe('mutate');
    expect(findings).toMatchObject([{ action: 'redact', shadow: { rule: 'try', action: 'block' } }]);
  });

  it('says of a trial over all that it would log an address, as it would, and of one that names it what that says', () => {
    const shadowOf = (rule: object) =>
      screen([{ name: 'try', action: 'block', isShadow: true, ...rule }], ['81.2.69.142']).findings[0]?.shadow;
    expect(shadowOf({})).toEqual({ rule: 'try', action: 'log' });
    expect(shadowOf({ detector: 'pii.ipv4' })).toEqual({ rule: 'try', action: 'block' });
  });

  it('does not find what is off, and tells a trial of what is off', () => {
    const off = { name: 'off', action: 'off', detector: 'pii.email' };
    expect(screen([off], ['ana@example.com']).findings).toEqual([]);
    const trial = { name: 'try', action: 'block', detector: 'pii.email', tool: 'wiki/*', isShadow: true };
    expect(screen([off, trial], ['ana@example.com'])).toMatchObject({
      verdict: 'pass',
      findings: [{ action: 'log', rule: 'off', shadow: { rule: 'try', action: 'block' } }],
    });
  });
});
