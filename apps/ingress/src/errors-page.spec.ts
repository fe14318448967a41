import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REFUSALS } from './pipeline/refusal.js';

const root = new URL('../../../', import.meta.url).pathname;

/** Sources below a folder; specs apart. */
function sources(dir: string, wantsSpecs: boolean): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) =>
        file.endsWith('.ts') && file.endsWith('.spec.ts') === wantsSpecs && !/(^|\/)(dist|node_modules)\//.test(file),
    )
    .map((file) => join(dir, file));
}

const codesIn = (text: string) => new Set(text.match(/\bWDR_[A-Z_]+\b/g));
const documented = [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^### (WDR_[A-Z_]+)$/gm)].map(
  ([, code]) => code!,
);

it('documents every refusal of the data plane, once', () => {
  expect(new Set(documented).size).toBe(documented.length);
  expect(Object.keys(REFUSALS).filter((code) => !documented.includes(code))).toEqual([]);
});

it('documents every code that the sources use, and none that they do not', () => {
  const files = ['apps', 'libs'].flatMap((dir) => sources(join(root, dir), false));
  expect(files.length).toBeGreaterThan(150);
  const used = codesIn(files.map((file) => readFileSync(file, 'utf8')).join('\n'));
  expect([...used].filter((code) => !documented.includes(code))).toEqual([]);
  expect(documented.filter((code) => !used.has(code))).toEqual([]);
});

it('has a test that causes each refusal', () => {
  const specs = sources(join(root, 'apps/ingress/src'), true).filter((file) => !file.endsWith('errors-page.spec.ts'));
  const caused = codesIn(specs.map((file) => readFileSync(file, 'utf8')).join('\n'));
  expect(Object.keys(REFUSALS).filter((code) => !caused.has(code))).toEqual([]);
});
