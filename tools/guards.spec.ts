import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const planted: string[] = [];

/** A workspace of its own with the given files; every lib named in them gets the layer that its folder's name says. */
function plant(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'warder-guard-'));
  planted.push(dir);
  const libs = { contracts: 'contract', core: 'core', adapter: 'adapter', testing: 'testing' };
  for (const [lib, layer] of Object.entries(libs))
    files[`libs/${lib}/package.json`] ??= JSON.stringify({ warder: { layer } });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  mkdirSync(join(dir, 'apps'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

function cruise(cwd: string): string {
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const ran = spawnSync(process.execPath, [bin, '--config', join(root, '.dependency-cruiser.cjs'), 'apps', 'libs'], {
    cwd,
    encoding: 'utf8',
  });
  return ran.stdout + ran.stderr;
}

function tidy(...dirs: string[]): string {
  return spawnSync(process.execPath, [join(root, 'tools/tidy.mjs'), ...dirs], { cwd: root, encoding: 'utf8' }).stdout;
}

afterEach(() => {
  for (const dir of planted.splice(0)) rmSync(dir, { recursive: true, force: true });
});

describe('layers and direction', () => {
  it('hold in the whole workspace, of which hundreds of modules were seen', () => {
    const said = cruise(root);
    expect(said).toContain('no dependency violations found');
    expect(Number(/\((\d+) modules/.exec(said)?.[1])).toBeGreaterThan(400);
  }, 600_000);

  it.each([
    ['contracts-stand-alone', 'libs/contracts/src/a.ts', '../../core/src/index.js'],
    ['core-is-pure', 'libs/core/src/a.ts', '../../adapter/src/index.js'],
    ['core-is-pure', 'libs/core/src/a.ts', 'undici'],
    ['core-has-no-builtins', 'libs/core/src/a.ts', 'node:fs'],
    ['libs-know-no-app', 'libs/adapter/src/a.ts', '../../../apps/one/src/index.js'],
    ['testing-stays-in-tests', 'libs/adapter/src/a.ts', '../../testing/src/index.js'],
    ['scenes-stay-in-tests', 'apps/one/src/a.ts', './b.scene.js'],
    ['nest-stops-at-the-rim', 'apps/one/src/a.ts', '@nestjs/common'],
    ['apps-meet-only-on-the-wire', 'apps/two/src/a.ts', '../../one/src/index.js'],
    ['libs-by-front-door', 'apps/one/src/a.ts', '../../../libs/adapter/src/inside.js'],
    ['no-circular', 'libs/adapter/src/index.ts', './inside.js'],
  ])('%s: sees %s import %s', (rule, path, imported) => {
    const dir = plant({
      'libs/contracts/src/index.ts': 'export const x = 1;',
      'libs/core/src/index.ts': 'export const x = 1;',
      'libs/testing/src/index.ts': 'export const x = 1;',
      'libs/adapter/src/index.ts': 'export const x = 1;',
      'libs/adapter/src/inside.ts': "import { x } from './index.js';\nexport const y = x;",
      'apps/one/src/index.ts': 'export const x = 1;',
      'apps/one/src/b.scene.ts': 'export const x = 1;',
      [path]: `import * as seen from '${imported}';\nexport const x = seen;`,
    });
    expect(cruise(dir)).toContain(rule);
  });

  it('fails for a lib that names no layer', () => {
    expect(cruise(plant({ 'libs/new/package.json': '{}' }))).toContain('names no layer');
  });
});

describe('tidy', () => {
  it('has nothing to say of hundreds of files', () => {
    const said = tidy('apps', 'libs', 'bench/src', 'e2e');
    expect(said).toMatch(/^tidy: \d+ files, 0 complaints\n$/);
    expect(Number(/(\d+) files/.exec(said)?.[1])).toBeGreaterThan(300);
  });

  it.each([
    ['exceeds 300 lines', 'long.ts', 'export {};\n'.repeat(301)],
    ['function exceeds 70 lines', 'function.ts', `export function f() {\n${'f();\n'.repeat(70)}}\n`],
    ['says nothing', 'utils.ts', 'export {};\n'],
    ["'export *' hides", 'index.ts', "export * from './a.js';\n"],
    ['does several things', 'class.ts', 'export class C { constructor(a, b, c, d, e, f) {} }\n'],
    ['not our word', 'word.ts', `export const ${'white'}${'list'} = 1;\n`],
  ])('says "%s" of a planted %s', (complaint, name, text) => {
    expect(tidy(plant({ [`libs/core/src/${name}`]: text }))).toContain(complaint);
  });

  it('fails when it sees no file', () => {
    const dir = mkdtempSync(join(tmpdir(), 'warder-guard-'));
    planted.push(dir);
    const ran = spawnSync(process.execPath, [join(root, 'tools/tidy.mjs'), dir], { encoding: 'utf8' });
    expect(ran.status).toBe(1);
  });
});
