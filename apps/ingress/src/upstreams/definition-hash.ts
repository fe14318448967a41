import { createHash } from 'node:crypto';
import { isNameable, type ToolDefinition, type UpstreamCatalogue } from '@warder/contracts';
import { isObject, stringifyJson } from '@warder/mcp-wire';

/** SHA-256, hex, over a definition with its keys in order: the order of members is not a change of the tool. */
export function definitionHash(definition: ToolDefinition): string {
  return createHash('sha256')
    .update(stringifyJson(inOrder(definition)))
    .digest('hex');
}

/** The tools of an upstream with their hashes, by name, and the hash of them all; what cannot be named is left out. */
export function catalogueOf(definitions: readonly ToolDefinition[]): Pick<UpstreamCatalogue, 'hash' | 'tools'> {
  const nameable = definitions.filter(({ name }) => isNameable(name));
  const tools = nameable.map((definition) => ({ hash: definitionHash(definition), definition }));
  tools.sort((left, right) => (left.definition.name < right.definition.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const tool of tools) hash.update(`${tool.hash}\n`);
  return { hash: hash.digest('hex'), tools };
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  // A lossless number is a leaf with a prototype of its own.
  if (!isObject(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const ordered: [string, unknown][] = Object.keys(value)
    .sort()
    .map((key) => [key, inOrder(value[key])]);
  return Object.fromEntries(ordered);
}
