import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Half, halfOf } from './half-of.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const EVAL = resolve(ROOT, '../shared/eval');

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
const data = resolve(positionals[0] ?? join(EVAL, 'dev.jsonl'));
const beside = join(dirname(data), 'eval.mjs');
const scorer = existsSync(beside) ? beside : join(EVAL, 'eval.mjs');
for (const path of [data, scorer]) {
  if (existsSync(path)) continue;
  process.stderr.write(`eval: there is no ${path}; name the cases: npm run eval -- path/to/cases.jsonl\n`);
  process.exit(2);
}

const sources = new Set(
  readFileSync(data, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => (JSON.parse(line) as { source: string }).source),
);

/** The scorer's tables over some of the sources. */
function tables(only: readonly string[]): string {
  const module = fileURLToPath(new URL('scan.js', import.meta.url));
  const args = [scorer, '--data', data, '--module', module, '--source', only.join(',')];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`the scorer ended with ${status}`);
  return stdout.trim();
}

const of = (half: Half): string[] => [...sources].filter((source) => halfOf(source) === half);
const parts: readonly (readonly [string, readonly string[]])[] = [
  ['All sources', [...sources]],
  ['Sources that rules were written against', of('written-against')],
  ['Sources held back', of('held-back')],
];
const date = new Date().toISOString().slice(0, 10);
let page = `# Guardrails over ${relative(dirname(data), data)}, ${date}\n\nNode ${process.versions.node}, the default rules.\n`;
for (const [title, only] of parts) {
  if (only.length === 0) continue;
  page += `\n## ${title}\n\n${[...only].sort().join(', ')}\n\n\`\`\`text\n${tables(only)}\n\`\`\`\n`;
}
process.stdout.write(page);
if (values.out !== undefined) writeFileSync(values.out, page);
