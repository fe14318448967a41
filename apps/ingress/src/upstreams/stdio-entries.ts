import { readFile } from 'node:fs/promises';
import type { StdioEntry } from '@warder/mcp-transport';
import { parse } from 'yaml';
import { z } from 'zod';

/** What a node's stdio.yaml holds: commands by the name of their entry. */
export const StdioEntries = z.record(
  z.string(),
  z.strictObject({
    command: z.string().min(1),
    args: z.array(z.string()).default([]),
    env: z.record(z.string(), z.string()).default({}),
    cwd: z.string().optional(),
  }),
);

/**
 * Reads this node's own table of commands. A command never comes from a request or a topic; policies name an entry.
 * @throws Error that names the file and the key, for a file that cannot be read or used
 */
export async function readStdioEntries(path: string | undefined): Promise<ReadonlyMap<string, StdioEntry>> {
  if (path === undefined) return new Map();
  let entries: unknown;
  try {
    entries = parse(await readFile(path, 'utf8')) ?? {};
  } catch (error) {
    throw new Error(`stdioFile: ${path} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`);
  }
  const parsed = StdioEntries.safeParse(entries);
  if (parsed.success) return new Map(Object.entries(parsed.data) as [string, StdioEntry][]);
  const [issue] = parsed.error.issues;
  throw new Error(`stdioFile: ${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}
