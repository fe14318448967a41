import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../../..');
const EVAL = resolve(ROOT, '../shared/eval');

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
const data = resolve(positionals[0] ?? join(EVAL, 'flow_dev.jsonl'));
const beside = join(dirname(data), 'flow_eval.mjs');
const scorer = existsSync(beside) ? beside : join(EVAL, 'flow_eval.mjs');
for (const path of [data, scorer]) {
  if (existsSync(path)) continue;
  process.stderr.write(`eval: there is no ${path}; name the cases: npm run eval:flow -- path/to/sequences.jsonl\n`);
  process.exit(2);
}

function table(preset: string): string {
  const module = fileURLToPath(new URL('policy.js', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [scorer, '--data', data, '--module', module], {
    encoding: 'utf8',
    env: { FLOW_PRESET: preset },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`the scorer ended with ${status}`);
  return stdout.trim();
}

const date = new Date().toISOString().slice(0, 10);
let page = `# The flow policy over ${relative(dirname(data), data)}, ${date}\n\nNode ${process.versions.node}. Stopped means held for a human, or refused.\n`;
for (const preset of ['exfiltration', 'balanced', 'strict'])
  page += `\n## ${preset}\n\n\`\`\`text\n${table(preset)}\n\`\`\`\n`;
process.stdout.write(page);
if (values.out !== undefined) writeFileSync(values.out, page);
