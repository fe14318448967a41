import { readdirSync, readFileSync } from 'node:fs';
import { parseProvider, type ProviderEntry } from '@warder/provider-catalog';

/**
 * The catalogue as it comes with Warder, by the ids of its entries.
 * @throws ProviderEntryRefused for a file that is no entry
 */
export function readProviderEntries(): ReadonlyMap<string, ProviderEntry> {
  const dir = new URL('providers/', import.meta.resolve('@warder/provider-catalog/package.json'));
  const entries = readdirSync(dir)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .map((file) => parseProvider(file, readFileSync(new URL(file, dir), 'utf8')));
  return new Map(entries.map((entry) => [entry.id, entry]));
}
