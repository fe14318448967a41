import { readdirSync, readFileSync } from 'node:fs';
import { parseProvider } from './parse-provider.js';
import type { ProviderEntry } from './provider-entry.js';

const DIR = new URL('../providers/', import.meta.url);

/** The catalogue as it is on the disk. */
export const PROVIDERS: ReadonlyMap<string, ProviderEntry> = new Map(
  readdirSync(DIR)
    .toSorted()
    .map((file) => parseProvider(file, readFileSync(new URL(file, DIR), 'utf8')))
    .map((entry) => [entry.id, entry]),
);

/** One of them. */
export function provider(id: string): ProviderEntry {
  const entry = PROVIDERS.get(id);
  if (entry === undefined) throw new Error(`the catalogue has no ${id}`);
  return entry;
}
