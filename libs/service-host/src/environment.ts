import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import { schemasAt } from './schema-path.js';

export const ENVIRONMENT_PREFIX = 'WARDER_';
/** Names a file, not a key. */
const RESERVED = new Set(['WARDER_CONFIG']);

export interface EnvironmentKey {
  path: string[];
  value: unknown;
}

/**
 * Reads `WARDER_DATABASE__URL` as `database.url`; `WARDER_DATABASE__URL_FILE` as the same, from a file (a mounted
 * secret), unless the schema itself has a key `database.urlFile`. Values get the type that the schema asks for.
 * @throws ConfigError naming a file that cannot be read
 */
export function readEnvironment(schema: z.ZodType, environment: Record<string, string | undefined>): EnvironmentKey[] {
  return Object.entries(environment)
    .filter(([name, text]) => name.startsWith(ENVIRONMENT_PREFIX) && !RESERVED.has(name) && text !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, text]) => readVariable(schema, name, text ?? ''));
}

function readVariable(schema: z.ZodType, name: string, text: string): EnvironmentKey {
  const path = pathOf(name.slice(ENVIRONMENT_PREFIX.length));
  const fromFile = name.endsWith('_FILE') ? pathOf(name.slice(ENVIRONMENT_PREFIX.length, -'_FILE'.length)) : undefined;
  if (fromFile === undefined || hasOwnKey(schema, path)) return { path, value: typed(schema, path, text) };
  try {
    return { path: fromFile, value: typed(schema, fromFile, readFileSync(text, 'utf8').replace(/\r?\n$/, '')) };
  } catch (error) {
    throw new ConfigError(`${fromFile.join('.')}: ${name} names a file that cannot be read (${codeOf(error)})`);
  }
}

function pathOf(name: string): string[] {
  return name
    .split('__')
    .map((part) => part.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
}

// A record takes any key, so a key counts as the schema's own only where an object spells it out.
function hasOwnKey(schema: z.ZodType, path: string[]): boolean {
  const parents = schemasAt(schema, path.slice(0, -1));
  return parents.some((parent) => parent instanceof z.ZodObject && Object.hasOwn(parent.shape, path.at(-1) ?? ''));
}

function typed(schema: z.ZodType, path: string[], text: string): unknown {
  const kinds = schemasAt(schema, path);
  // A string stays as it is: a password "0123" or "true" must not become a number or a boolean.
  if (kinds.length === 0 || kinds.some((kind) => takesText(kind, text))) return text;
  if (kinds.some((kind) => kind instanceof z.ZodArray) && !text.trimStart().startsWith('[')) {
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }
  try {
    return parse(text);
  } catch {
    return text;
  }
}

// A string takes any text; a word that must be one of a few is one only if it is spelled so (`never` beside a number).
function takesText(kind: z.core.$ZodType, text: string): boolean {
  const { type } = kind._zod.def;
  if (type === 'string' || type === 'template_literal') return true;
  return (type === 'enum' || type === 'literal') && z.safeParse(kind, text).success;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}
