import { parseCanonicalTool } from '@warder/access';
import { AllowRule, CustomDictionary, CustomPattern, CustomRules, type GuardrailRulesState } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_PACKS } from '../built-in-packs.js';
import { createEngine } from '../engine.js';
import { problemsOf } from './accept-rules.js';

const actions = { secret: 'redact', pii: 'redact', injection: 'flag', hidden: 'flag' } as const;
const builtIn = Object.entries(BUILT_IN_PACKS).map(([pack, detectors]): GuardrailRulesState => ({
  version: 1,
  status: 'active',
  pack,
  detectors: [...detectors],
}));
const pattern = (text: string, more: Partial<CustomPattern> = {}) =>
  CustomPattern.parse({ id: 'custom.own', category: 'pii', pattern: text, fires: ['x'], passes: ['y'], ...more });
const dictionary = (terms: readonly string[], more: Partial<CustomDictionary> = {}) =>
  CustomDictionary.parse({ id: 'custom.words', category: 'secret', terms, ...more });
const engineOf = (rules: Partial<CustomRules>) =>
  createEngine([
    ...builtIn,
    { version: 7, status: 'active', pack: 'custom', detectors: [], custom: CustomRules.parse(rules) },
  ]);
const screened = (rules: Partial<CustomRules>, value: unknown): unknown =>
  engineOf(rules).screen(value, 'response', actions).value;
const took = (work: () => void): number => {
  const [startedAtMs, before] = [performance.now(), process.cpuUsage()];
  work();
  const { user, system } = process.cpuUsage(before);
  return Math.min(performance.now() - startedAtMs, (user + system) / 1_000);
};
const problem = (rule: CustomPattern): string | undefined =>
  problemsOf({ patterns: [rule], dictionaries: [] }, took)[0]?.problem;

describe('patterns of an operator', () => {
  const ticket = { patterns: [pattern(String.raw`\bK-\d{6}\b`)] };

  it('are found in a sentence, in JSON, in keys, and each time that they stand there', () => {
    const value = { text: 'K-123456, k-654321 and K-1234567', 'K-111111': ['(K-222222)'] };
    expect(screened(ticket, value)).toEqual({
      text: '[redacted:custom.own], [redacted:custom.own] and K-1234567',
      '[redacted:custom.own]': ['([redacted:custom.own])'],
    });
  });

  it('count with the version of their pack', () => {
    expect(engineOf(ticket).version).toBe(builtIn.length + 7);
  });

  it('find the same wherever a text is cut into windows', () => {
    const filler = ' lorem ipsum '.repeat(3_000);
    const text = `${filler}K-123456${filler}K-000001`;
    expect(screened(ticket, text)).toBe(`${filler}[redacted:custom.own]${filler}[redacted:custom.own]`);
  });

  it('take out what their group says, and leave what leads to it', () => {
    const rules = { patterns: [pattern(String.raw`badge[ #:]{1,3}([0-9a-f]{8})`)] };
    expect(screened(rules, 'Badge #:00ff00ff!')).toBe('Badge #:[redacted:custom.own]!');
  });

  it('tell capitals apart where they are asked to', () => {
    const rules = { patterns: [pattern('GEHEIM', { isCaseSensitive: true })] };
    expect(screened(rules, ['GEHEIM', 'geheim'])).toEqual(['[redacted:custom.own]', 'geheim']);
  });

  it('find a number that is a JSON number, and take all of it', () => {
    const rules = { patterns: [pattern(String.raw`\b48\d{4}\b`)] };
    expect(screened(rules, { employee: 482_913, other: 582_913 })).toEqual({
      employee: '[redacted:custom.own]',
      other: 582_913,
    });
  });

  it('have the action of the matrix where it names them', () => {
    const engine = createEngine([
      { version: 1, status: 'active', pack: 'custom', detectors: [], custom: CustomRules.parse(ticket) },
      {
        version: 1,
        status: 'active',
        pack: 'actions',
        detectors: [],
        actions: [{ name: 'own', detector: 'custom.own', action: 'block', isShadow: false }],
      },
    ]);
    const scope = {
      virtualServer: 'dev',
      tool: parseCanonicalTool('a/b')!,
      groups: [],
    };
    const both = engine.actionsFor({ request: actions, response: actions }, scope);
    expect(engine.screen(['K-123456'], 'request', both.request)).toMatchObject({
      verdict: 'reject',
      findings: [{ detector: 'custom.own', category: 'pii', action: 'block', rule: 'own' }],
    });
  });

  it('leave the others working where one of them is of a newer build', () => {
    const engine = engineOf({ patterns: [pattern('(?<later>x)yz', { id: 'custom.later' }), ...ticket.patterns] });
    expect(engine.unknownDetectors).toEqual(['custom.later']);
    expect(engine.screen('K-123456', 'response', actions).value).toBe('[redacted:custom.own]');
  });
});

describe('what is taken as a pattern', () => {
  it.each([
    ['a+bcd', '"+" has no end'],
    ['abc*', '"*" has no end'],
    ['abc{2,}', '"{2,}" has no end'],
    [String.raw`(abc)\1`, String.raw`"\1" is not known here`],
    ['abc(?=d)', 'of groups there are (...) and (?:...)'],
    ['(?<name>abc)', 'of groups there are (...) and (?:...)'],
    ['^abc', '"^": texts are parts of answers'],
    ['(abc)(def)', 'one group (...) says what is found'],
    ['abc{2}{3}', 'two repetitions in a row'],
    ['abc{300}', 'is more than 256 times'],
    ['(abc', 'a group does not end'],
    ['abc)', 'closes nothing'],
    ['[z-a]bc', 'a range goes from one character to a later one'],
    [String.raw`\pabc`, String.raw`"\p" is not known here`],
    ['a{,3}bc', 'is no repetition'],
    ['abc😀', 'characters beyond U+FFFF'],
    [String.raw`[a-z]{3,20}`, 'no three characters in a row'],
    ['(?:abc)?', 'no three characters in a row'],
    ['(?:abcdefgh){200}', 'it may take 1600 characters'],
  ])('is not %s', (text, why) => {
    expect(problem(pattern(text))).toContain(why);
  });

  it.each([
    ['a repetition in a repetition', '(?:[a-z]{1,3}){1,7}-id'],
    ['two ways through each round', '(?:a|a|aa){1,12}bcd'],
    ['repetitions that can share', String.raw`\w{1,40}\w{1,40}\w{1,40}: key`],
  ])('is not what takes too long on a text made for it: %s', (_what, text) => {
    // These end by themselves; the worker that ends others is the app's.
    expect(problem(pattern(text))).toMatch(/takes \d+ ms for 64 KB/);
  });

  it.each([
    [String.raw`\bK-\d{6}\b`, ['K-123456'], ['K-12345']],
    [String.raw`emp(?:loyee)?[ #:]{1,3}(\d{6})`, ['Employee: 123456', 'emp#123456'], ['employee 12345']],
    [String.raw`(?:\d{4}[- ]?){3}\d{4}`, ['1234-5678 90121234'], ['1234-567']],
    [String.raw`[A-Z]{2}[0-9]{2}\.x`, ['ab12.x'], ['ab12x']],
    ['Projekt (?:Adler|Bussard|Falke)', ['projekt bussard'], ['Projekt Spatz']],
    ['страница-тайна', ['СТРАНИЦА-ТАЙНА'], ['страница']],
  ])('is %s', (text, fires, passes) => {
    expect(problem(pattern(text, { fires, passes }))).toBeUndefined();
  });

  it('is not what does not do what its examples say', () => {
    const own = { fires: ['K-12345'], passes: ['none'] };
    expect(problem(pattern(String.raw`K-\d{6}`, own))).toBe('does not find fires[0]');
    expect(problem(pattern(String.raw`K-\d{5}`, { ...own, passes: ['x', 'K-00000'] }))).toBe('finds passes[1]');
  });
});

describe('dictionaries', () => {
  const rules = { dictionaries: [dictionary(['Nightingale', 'Project Adler', 'Müller AG', '北京', 'Nightingale II'])] };

  it('find whole words, in any case, over line ends, and the longest', () => {
    const text = 'NIGHTINGALE, nightingales; project\n adler. MÜLLER  AG, Mu\u0308ller ag: nightingale ii';
    expect(screened(rules, text)).toBe(
      '[redacted:custom.words], nightingales; [redacted:custom.words]. [redacted:custom.words], [redacted:custom.words]: [redacted:custom.words]',
    );
  });

  it('find words of scripts without blanks within a text, and at its very end', () => {
    expect(screened(rules, '我在北京工作')).toBe('我在[redacted:custom.words]工作');
    expect(screened(rules, '北京')).toBe('[redacted:custom.words]');
  });

  it('find parts of words where they are asked to', () => {
    const within = { dictionaries: [dictionary(['adler'], { isWithinWords: true })] };
    expect(screened(within, 'Seeadlers')).toBe('See[redacted:custom.words]s');
  });

  it('find each of ten thousand words, and none of them in what is no word of theirs', () => {
    const terms = Array.from({ length: 10_000 }, (_, at) => `w${(at * 7_919).toString(36)}x`);
    const engine = engineOf({ dictionaries: [dictionary(terms)] });
    for (const term of terms.slice(0, 500)) expect(engine.scan(`see ${term}.`)).toMatchObject([{ start: 4 }]);
    expect(engine.scan(terms.map((term) => `a${term}`).join(' '))).toEqual([]);
    expect(problemsOf({ patterns: [], dictionaries: [dictionary(terms)] }, took)).toEqual([]);
  });

  it('are refused where a text of what they look for takes too long', () => {
    const rules = { patterns: [], dictionaries: [dictionary(['one', 'two'])] };
    const [found] = problemsOf(rules, (work) => {
      work();
      return 21;
    });
    expect(found).toEqual({
      id: 'custom.words',
      problem: 'takes 21 ms for 64 KB of "aaaaaaaaaaaaaaaaaaaaaaaa"...; 20 is the most',
    });
  });
});

describe('what is allowed', () => {
  const scoped = (rules: readonly object[], tool: string) => {
    const engine = engineOf({ allow: rules.map((rule) => AllowRule.parse(rule)) });
    const scope = { virtualServer: 'dev', tool: parseCanonicalTool(tool)!, groups: [] };
    return { engine, actions: engine.actionsFor({ request: actions, response: actions }, scope) };
  };
  const help = { name: 'help', detectors: ['pii.email'], values: ['Help@Example.com'] };
  const value = ['write to help@example.COM', 'ana@example.com'];

  it('is no finding: a named value of a named detector, in any case, and no other value', () => {
    const { engine, actions: both } = scoped([help], 'mail/read');
    const { value: screened, findings } = engine.screen(value, 'response', both.response);
    expect(screened).toEqual(['write to help@example.COM', '[redacted:pii.email]']);
    expect(findings.map(({ place }) => place)).toEqual(['/1']);
    expect(engine.screen(value, 'response', actions).value).toEqual(screened);
  });

  it('is so in the named tools alone, and in the named direction', () => {
    const rule = { name: 'mail', detectors: ['pii.*'], tool: 'mail/*', direction: 'response' };
    const mail = scoped([rule], 'mail/read');
    expect(mail.engine.screen(value, 'response', mail.actions.response).verdict).toBe('pass');
    expect(mail.engine.screen(value, 'request', mail.actions.request).verdict).toBe('mutate');
    const files = scoped([rule], 'files/read');
    expect(files.engine.screen(value, 'response', files.actions.response).verdict).toBe('mutate');
    expect(files.engine.screen(value, 'response', actions).verdict).toBe('mutate');
  });

  it('leaves secrets that are not named', () => {
    const { engine, actions: both } = scoped([{ ...help, detectors: ['pii.*'], tool: 'mail/*' }], 'mail/read');
    const key = `AKIA${'QYLPMN5HFIQR7B2X'}`;
    expect(engine.screen([key], 'response', both.response).value).toEqual(['[redacted:secret.aws-access-key]']);
  });

  it('names values or tools: everything of a detector is a matter of its action', () => {
    expect(AllowRule.safeParse({ name: 'all', detectors: ['pii.*'] }).success).toBe(false);
  });
});
