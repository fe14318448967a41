import type { GuardrailActions } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import type { ScreeningEngine } from './screening-engine.js';

/** What an engine under the contract finds, one sample of each: a secret that can be cut in two and a number. */
export interface Samples {
  readonly secret: { readonly detector: string; readonly text: string };
  readonly card: { readonly detector: string; readonly text: string; readonly value: number };
  readonly injection: { readonly detector: string; readonly text: string };
}

const actions = (change: Partial<GuardrailActions> = {}): GuardrailActions => ({
  secret: 'redact',
  pii: 'redact',
  injection: 'flag',
  hidden: 'flag',
  ...change,
});

const nested = (depth: number): unknown => {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
};

/** The promises of every ScreeningEngine; whichever engine replaces another passes these first. */
export function describeScreeningEngine(name: string, engine: ScreeningEngine, samples: Samples): void {
  const { secret, card, injection } = samples;
  const masked = `[redacted:${secret.detector}]`;
  const found = { category: 'secret', detector: secret.detector, action: 'redact', phase: 'response', count: 1 };

  describe(`${name}: what it returns`, () => {
    it('passes a clean value on as the same reference', () => {
      const value = { content: [{ type: 'text', text: 'hello' }, 1, null, true], structuredContent: { ok: true } };
      const screening = engine.screen(value, 'response', actions());
      expect(screening).toEqual({ verdict: 'pass', value, findings: [] });
      expect(screening.value).toBe(value);
    });

    it('copies only the way to what it changed, and never the value it was given', () => {
      const value = { left: { kept: [1] }, right: { text: `a ${secret.text} b` } };
      const before = structuredClone(value);
      const { verdict, value: screened } = engine.screen(value, 'response', actions());
      expect(verdict).toBe('mutate');
      expect(screened).toEqual({ left: { kept: [1] }, right: { text: `a ${masked} b` } });
      expect((screened as typeof value).left).toBe(value.left);
      expect(value).toEqual(before);
    });

    it('names kind and place of a finding and never its value', () => {
      const value = { 'a/b': [{ text: `${secret.text}, ${secret.text}` }] };
      const screening = engine.screen(value, 'response', actions());
      expect(screening.findings).toEqual([{ ...found, place: '/a~1b/0/text', count: 2 }]);
      expect(JSON.stringify(screening)).not.toContain(secret.text);
    });

    it('takes a secret out of a key, of the copy and of the pointer', () => {
      const screening = engine.screen({ [secret.text]: { [secret.text]: 1 } }, 'response', actions());
      expect(screening.value).toEqual({ [masked]: { [masked]: 1 } });
      expect(screening.findings.map(({ place }) => place)).toEqual([`/${masked}`, `/${masked}/${masked}`]);
    });

    it('keeps both members when two keys become alike', () => {
      const screening = engine.screen({ [masked]: 1, [secret.text]: 2 }, 'response', actions());
      expect(screening.value).toEqual({ [masked]: 1, [`${masked}#2`]: 2 });
    });

    it('keeps a member called __proto__ a member', () => {
      const value: unknown = JSON.parse(`{"__proto__": {"x": 1}, "k": ${JSON.stringify(secret.text)}}`);
      expect(JSON.stringify(engine.screen(value, 'response', actions()).value)).toBe(
        `{"__proto__":{"x":1},"k":"${masked}"}`,
      );
    });
  });

  describe(`${name}: where it looks`, () => {
    it.each([
      ['structuredContent', { structuredContent: { rows: [{ note: secret.text }] } }, '/structuredContent/rows/0/note'],
      [
        'an embedded resource',
        { content: [{ type: 'resource', resource: { uri: 'a:b', text: secret.text } }] },
        '/content/0/resource/text',
      ],
      ['a text of its own', secret.text, ''],
      ["an error's message", { code: -32000, message: secret.text }, '/message'],
      ["an error's data", { code: -32000, message: 'x', data: [secret.text] }, '/data/0'],
      ['progress', { progressToken: 1, progress: 2, message: secret.text }, '/message'],
      ['a log entry', { level: 'info', data: { line: secret.text } }, '/data/line'],
    ])('finds a secret in %s', (_where, value, place) => {
      const screening = engine.screen(value, 'response', actions());
      expect(screening.findings).toEqual([{ ...found, place }]);
      expect(JSON.stringify(screening.value)).not.toContain(secret.text);
    });

    it('finds a card number sent as a JSON number', () => {
      const screening = engine.screen({ card: card.value, other: 12 }, 'response', actions());
      expect(screening.value).toEqual({ card: `[redacted:${card.detector}]`, other: 12 });
    });

    it('finds a card number in a number object that keeps its digits', () => {
      class Digits {
        constructor(private readonly text: string) {}
        toString(): string {
          return this.text;
        }
      }
      const kept = new Digits('12345678901234567890123');
      const { value } = engine.screen({ card: new Digits(card.text), kept }, 'response', actions());
      expect(value).toEqual({ card: `[redacted:${card.detector}]`, kept });
      expect((value as { kept: unknown }).kept).toBe(kept);
    });

    it('finds a secret whose halves stand in two blocks, and takes both out', () => {
      const half = Math.floor(secret.text.length / 2);
      const blocks = ['see ', secret.text.slice(0, half), secret.text.slice(half), ' end'];
      const value = { content: [...blocks.map((text) => ({ type: 'text', text })), { type: 'image', data: 'AAAA' }] };
      const screening = engine.screen(value, 'response', actions());
      expect((screening.value as typeof value).content.map((block) => ('text' in block ? block.text : null))).toEqual([
        'see ',
        masked,
        masked,
        ' end',
        null,
      ]);
      expect(screening.findings.map(({ place }) => place)).toEqual(['/content/1/text', '/content/2/text']);
    });

    it('finds the halves too where the words of further blocks adjoin them', () => {
      const half = Math.floor(secret.text.length / 2);
      const blocks = ['see', secret.text.slice(0, half), secret.text.slice(half), 'end'];
      const value = { content: blocks.map((text) => ({ type: 'text', text })) };
      const screening = engine.screen(value, 'response', actions());
      expect((screening.value as typeof value).content.map(({ text }) => text)).toEqual(['see', masked, masked, 'end']);
    });
  });

  describe(`${name}: what it does`, () => {
    it('flags without changing anything', () => {
      const value = [`${injection.text} now`];
      const screening = engine.screen(value, 'interim', actions());
      expect(screening.value).toBe(value);
      expect(screening).toMatchObject({
        verdict: 'pass',
        findings: [
          { detector: injection.detector, category: 'injection', action: 'flag', phase: 'interim', place: '/0' },
        ],
      });
    });

    it('rejects on block, and hands back only what a record may hold', () => {
      const screening = engine.screen(
        { a: secret.text, b: injection.text },
        'request',
        actions({ secret: 'block', injection: 'block' }),
      );
      expect(screening.verdict).toBe('reject');
      expect(screening.findings.map(({ action }) => action)).toEqual(['block', 'block']);
      expect(JSON.stringify(screening)).not.toContain(secret.text);
    });

    it('does not look for what is off', () => {
      const value = [secret.text];
      const screening = engine.screen(value, 'response', actions({ secret: 'off' }));
      expect(screening).toEqual({ verdict: 'pass', value, findings: [] });
    });

    it.each([63, 10_000])('rejects what is nested deeper than it follows: %i and more levels', (depth) => {
      expect(engine.screen(nested(depth), 'request', actions()).verdict).toBe(depth === 63 ? 'pass' : 'reject');
    });

    it('names the bound that a value went past', () => {
      const { findings, value } = engine.screen(nested(65), 'request', actions());
      expect(findings).toMatchObject([{ detector: 'bound.depth', category: 'hidden', action: 'block' }]);
      expect(value).toBe('[redacted:bound.depth]');
      const wide = engine.screen(
        Array.from({ length: 200_001 }, () => 0),
        'request',
        actions(),
      );
      expect(wide).toMatchObject({ verdict: 'reject', findings: [{ detector: 'bound.leaves' }] });
    });

    it('bounds its findings and still takes everything out', () => {
      const { value, findings } = engine.screen(
        Array.from({ length: 1_000 }, () => secret.text),
        'response',
        actions(),
      );
      expect(findings.length).toBeLessThanOrEqual(201);
      expect(findings.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
      expect(value).toEqual(Array.from({ length: 1_000 }, () => masked));
    });
  });
}
