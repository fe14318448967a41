import { readFileSync, statSync } from 'node:fs';
import type { PolicyDocument } from '@warder/contracts';
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { describeProblem } from './document-problem.js';
import { readDocument } from './read-document.js';

const FILE_BYTES_MAX = 8_388_608;
const PROBLEMS_TOLD = 10;
const ALIASES_MAX = 100;

/** The policy file cannot be applied; one line per problem, each with file, line and key. */
export class PolicyFileError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.slice(0, PROBLEMS_TOLD).join('\n'));
    this.name = 'PolicyFileError';
  }
}

/**
 * Reads a policy file whole.
 * @throws PolicyFileError when it is missing, not YAML, empty, or not a policy
 */
export function readPolicyFile(file: string): PolicyDocument {
  let text: string;
  try {
    if (statSync(file).size > FILE_BYTES_MAX)
      throw new PolicyFileError([`${file}: larger than ${FILE_BYTES_MAX} bytes`]);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof PolicyFileError) throw error;
    throw new PolicyFileError([`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`]);
  }
  return parsePolicyFile(text, file);
}

/** @throws PolicyFileError whose lines are `<file>:<line>: <key>: <what is wrong>` */
export function parsePolicyFile(text: string, file: string): PolicyDocument {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const faults = [...yaml.errors, ...yaml.warnings];
  if (faults.length > 0)
    throw new PolicyFileError(faults.map((fault) => `${file}:${lineAt(fault.pos[0])}: ${fault.message}`));
  // A file cut off by accident would otherwise remove every grant.
  if (yaml.contents === null || (isScalar(yaml.contents) && yaml.contents.value === null))
    throw new PolicyFileError([`${file}:1: holds no policy; write {} to permit nothing`]);
  const read = readDocument(toValue(yaml, file));
  if (read.document !== undefined) return read.document;
  const told = read.problems.map((each) => `${file}:${lineAt(offsetOf(yaml, each.path))}: ${describeProblem(each)}`);
  throw new PolicyFileError(told);
}

function toValue(yaml: Document.Parsed, file: string): unknown {
  try {
    return yaml.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw new PolicyFileError([`${file}:1: ${error instanceof Error ? error.message : 'cannot be read'}`]);
  }
}

/** Where the deepest part of the path that exists begins: the key in a mapping, the item in a list. */
function offsetOf(yaml: Document.Parsed, path: readonly (string | number)[]): number {
  let node: Node | null = yaml.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const key of path) {
    const found: { at: unknown; below: unknown } | undefined = step(node, key);
    if (!found) break;
    if (isNode(found.at)) offset = found.at.range?.[0] ?? offset;
    if (!isNode(found.below) || isAlias(found.below)) break;
    node = found.below;
  }
  return offset;
}

function step(node: Node | null, key: string | number): { at: unknown; below: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return item === undefined ? undefined : { at: item, below: item };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === String(key));
  return pair && { at: pair.key, below: pair.value };
}
