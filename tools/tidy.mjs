/**
 * Style as a test: reads every source file once and reports what a linter does not see. These are size, names, front
 * doors, and words that the glossary has replaced.
 * Usage: node tools/tidy.mjs dir ...
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;
const COLLABORATORS_MAX = 5;
const FILE_NAMES_BANNED = /^(utils?|helpers?|common|misc|shared|base|types|constants|manager)\.ts$/;
const WORDS_REPLACED = { whitelist: 'allowlist', blacklist: 'denylist', permissionCheck: 'evaluate' };
/** Suites and scenes are tests too: long lists of cases are their nature. */
const TESTS = /\.(spec|contract|scene)\.ts$/;

const files = process.argv.slice(2).flatMap(function walk(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? [] : walk(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
});

const complaints = files.flatMap(tidy);
for (const complaint of complaints) console.log(complaint);
console.log(`tidy: ${files.length} files, ${complaints.length} complaints`);
// A guard that sees nothing must fail.
process.exitCode = complaints.length > 0 || files.length === 0 ? 1 : 0;

function tidy(path) {
  const text = readFileSync(path, 'utf8');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineAt = (offset) => source.getLineAndCharacterOfPosition(offset).line + 1;
  const isTest = TESTS.test(path);
  const found = [];
  const say = (line, message) => found.push(`${path}:${line}: ${message}`);

  if (!isTest && text.split('\n').length - 1 > FILE_LINES_MAX)
    say(1, `file exceeds ${FILE_LINES_MAX} lines: name its second subject and split`);
  if (FILE_NAMES_BANNED.test(basename(path))) say(1, 'this name says nothing: name the file after what it holds');
  for (const [word, better] of Object.entries(WORDS_REPLACED)) {
    const at = text.indexOf(word);
    if (at >= 0) say(lineAt(at), `'${word}' is not our word, use '${better}' (the glossary)`);
  }
  (function visit(node) {
    if (ts.isExportDeclaration(node) && !node.exportClause)
      say(lineAt(node.getStart()), "'export *' hides the surface: export names");
    const length = node.body ? lineAt(node.end) - lineAt(node.getStart()) + 1 : 0;
    if (!isTest && ts.isFunctionLike(node) && length > FUNCTION_LINES_MAX)
      say(lineAt(node.getStart()), `function exceeds ${FUNCTION_LINES_MAX} lines (${length})`);
    if (ts.isConstructorDeclaration(node) && node.parameters.length > COLLABORATORS_MAX)
      say(lineAt(node.getStart()), `${node.parameters.length} collaborators: this class does several things`);
    ts.forEachChild(node, visit);
  })(source);
  return found;
}
