import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningService } from '@warder/testing';
import { formsOf } from './canary-search.js';
import { eventually } from './wire-agent.js';

/** Variables by which a process writes its heap when it is asked to. */
export function heapEnvironment(dir: string): Record<string, string> {
  const preload = new URL('./heap-snapshot-preload.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, E2E_HEAP_DIR: dir };
}

/** Where a heap holds a text. */
export interface HeldInHeap {
  /** Names of properties, of objects and of whatever else is not a value. */
  readonly names: readonly string[];
  /** Strings as values. */
  readonly values: readonly string[];
}

interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

/** Nodes that are strings: what V8 calls their name is their text, or of one that is in pieces that of each piece. */
const STRING_NODES: ReadonlySet<string> = new Set(['string', 'concatenated string', 'sliced string']);
/** Edges whose name is a number: a place in an array, or in the object itself. */
const NUMBERED_EDGES: ReadonlySet<string> = new Set(['element', 'hidden']);
const SNAPSHOT_TIMEOUT_MS = 60_000;

/**
 * Has a process collect its garbage and write its heap, and searches that. The heap is of the main thread; bytes that lie
 * outside of it, in Buffers, are not in a snapshot.
 */
export async function heldInHeap(
  service: RunningService,
  dir: string,
  secrets: readonly string[],
): Promise<HeldInHeap> {
  const file = join(dir, `${service.pid}.heapsnapshot`);
  await service.kill('SIGUSR2');
  await eventually(`the heap of ${service.name}`, async () => existsSync(file), SNAPSHOT_TIMEOUT_MS);
  const snapshot = JSON.parse(readFileSync(file, 'utf8')) as HeapSnapshot;
  rmSync(file);
  return searchHeap(snapshot, secrets);
}

/** @see https://nodejs.org/docs/latest-v20.x/api/v8.html#v8getheapsnapshotoptions */
export function searchHeap(snapshot: HeapSnapshot, secrets: readonly string[]): HeldInHeap {
  const forms = secrets.flatMap(formsOf);
  const { strings } = snapshot;
  const holding = new Set<number>();
  strings.forEach((text, at) => {
    if (forms.some((form) => text.includes(form))) holding.add(at);
  });
  const names = [...namesOfEdges(snapshot, holding), ...namesOfNodes(snapshot, holding, false)];
  return {
    names: names.map((at) => strings[at]!),
    values: [...namesOfNodes(snapshot, holding, true)].map((at) => strings[at]!),
  };
}

function* namesOfEdges({ snapshot: { meta }, edges }: HeapSnapshot, holding: ReadonlySet<number>): Generator<number> {
  const [width, type, name] = [meta.edge_fields.length, ...placesOf(meta.edge_fields, 'type', 'name_or_index')];
  const numbered = new Set([...NUMBERED_EDGES].map((each) => meta.edge_types[0].indexOf(each)));
  for (let at = 0; at < edges.length; at += width) {
    if (!numbered.has(edges[at + type]!) && holding.has(edges[at + name]!)) yield edges[at + name]!;
  }
}

function* namesOfNodes(
  { snapshot: { meta }, nodes }: HeapSnapshot,
  holding: ReadonlySet<number>,
  isString: boolean,
): Generator<number> {
  const [width, type, name] = [meta.node_fields.length, ...placesOf(meta.node_fields, 'type', 'name')];
  for (let at = 0; at < nodes.length; at += width) {
    const isText = STRING_NODES.has(meta.node_types[0][nodes[at + type]!]!);
    if (isText === isString && holding.has(nodes[at + name]!)) yield nodes[at + name]!;
  }
}

function placesOf(fields: readonly string[], ...names: [string, string]): [number, number] {
  const [first, second] = names.map((name) => fields.indexOf(name));
  if (first === undefined || second === undefined || first < 0 || second < 0)
    throw new Error(`a heap snapshot without ${names.join(' or ')}`);
  return [first, second];
}
