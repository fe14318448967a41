import { parse } from 'yaml';
import { ProviderEntry } from './provider-entry.js';

/** A file of the catalogue that is none. The message says where, and what is wrong. */
export class ProviderEntryRefused extends Error {
  override readonly name = 'ProviderEntryRefused';
}

/**
 * One file of the catalogue.
 * @param file - its name, which is the entry's id and `.yaml`
 * @throws ProviderEntryRefused for what is no entry, or another than the name says
 */
export function parseProvider(file: string, text: string): ProviderEntry {
  let document: unknown;
  try {
    // No alias, so that a small file cannot become a large document.
    document = parse(text, { maxAliasCount: 0, uniqueKeys: true });
  } catch (error) {
    throw new ProviderEntryRefused(`${file}: ${error instanceof Error ? error.message : 'is not YAML'}`);
  }
  const parsed = ProviderEntry.safeParse(document);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the entry'}: ${message}`);
    throw new ProviderEntryRefused(`${file}: ${faults.join('; ')}`);
  }
  if (file !== `${parsed.data.id}.yaml`) throw new ProviderEntryRefused(`${file}: its id is ${parsed.data.id}`);
  return parsed.data;
}
