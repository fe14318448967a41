import { readdirSync, readFileSync } from 'node:fs';
import { parseProvider, ProviderEntry } from '@warder/provider-catalog';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { providerSchema, providersPage, readProviders } from './providers-doc.mjs';

const page = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');

describe('the pages about providers', () => {
  it('say what the files say: docs/provider-catalog.md', async () => {
    expect(page('provider-catalog.md')).toBe(await providersPage(readProviders(parseProvider)));
  });

  it('say what is read: docs/provider-entry.schema.json', async () => {
    expect(page('provider-entry.schema.json')).toBe(await providerSchema(ProviderEntry));
  });

  it('take each file of the catalogue by the published schema, and none with a key more', () => {
    const schema = z.fromJSONSchema(JSON.parse(page('provider-entry.schema.json')) as z.core.JSONSchema.JSONSchema);
    const dir = new URL('../libs/provider-catalog/providers/', import.meta.url);
    const files = readdirSync(dir);
    expect(files.length).toBeGreaterThan(14);
    for (const file of files) {
      const text = readFileSync(new URL(file, dir), 'utf8');
      expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../../docs/provider-entry.schema.json');
      const document = parse(text) as object;
      expect([file, schema.safeParse(document).error]).toEqual([file, undefined]);
      expect(schema.safeParse({ ...document, secret: 'x' }).success).toBe(false);
    }
  });

  it('lead to each provider', () => {
    for (const { title, id } of readProviders(parseProvider)) {
      expect(page('provider-catalog.md')).toContain(`## ${title}\n`);
      expect(page('provider-catalog.md')).toContain(`\`${id}\``);
    }
  });
});
