import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { PolicyDocument } from '@warder/contracts';
import { HostSettings } from '@warder/service-host';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AuditConfig } from '../apps/audit/src/audit-config.js';
import { BalancerConfig } from '../apps/balancer/src/balancer-config.js';
import { CredentialsConfig } from '../apps/credentials/src/credentials-config.js';
import { GuardrailsConfig } from '../apps/guardrails/src/guardrails-config.js';
import { IdentityConfig } from '../apps/identity/src/identity-config.js';
import { IngressConfig } from '../apps/ingress/src/ingress-config.js';
import { StdioEntries } from '../apps/ingress/src/upstreams/stdio-entries.js';
import { PolicyConfig } from '../apps/policy/src/policy-config.js';
import { StandaloneFile } from '../apps/standalone/src/standalone-config.js';

/** The sections of the page, by their headings. */
const SECTIONS: Readonly<Record<string, z.ZodType>> = {
  'Every process': HostSettings,
  ingress: IngressConfig,
  identity: IdentityConfig,
  policy: PolicyConfig,
  credentials: CredentialsConfig,
  guardrails: GuardrailsConfig,
  audit: AuditConfig,
  balancer: BalancerConfig,
  'The file of npm start': StandaloneFile,
  'warder.yaml': PolicyDocument,
  'stdio.yaml': StdioEntries,
};

/** Sections whose file holds what another section describes. */
const SAME_AS_ELSEWHERE =
  /^(?:tls|log|bounds|exporters|scim|leakedTokens|signals|signIn|authorization|agents|account|connections|approvals|admin|groupRules\[\])\.?/;

/** What stands where a value is absent: `required`, `none`, or the default as JSON. */
type Absent = string;
type Keys = ReadonlyMap<string, Absent>;

const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');

/** Every key of a schema that holds a value, with its default. */
function keysOf(schema: z.core.$ZodType, path = '', absent: Absent = 'required'): Map<string, Absent> {
  if (schema instanceof z.ZodOptional) return keysOf(schema.unwrap(), path, 'none');
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const { defaultValue } = schema.def;
    return withDefaults(keysOf(schema.unwrap(), path, JSON.stringify(defaultValue)), path, defaultValue);
  }
  if (schema instanceof z.ZodObject) {
    const prefix = path === '' ? '' : `${path}.`;
    return merged(Object.entries(schema.shape).map(([key, member]) => keysOf(member, prefix + key)));
  }
  if (schema instanceof z.ZodRecord) {
    return keysOf(schema.valueType as z.core.$ZodType, path === '' ? '<name>' : `${path}.<name>`);
  }
  if (schema instanceof z.ZodArray && (schema.element instanceof z.ZodObject || isOfObjects(schema.element))) {
    return keysOf(schema.element, `${path}[]`);
  }
  if (isOfObjects(schema)) {
    return merged(schema.options.map((option) => keysOf(option, path)));
  }
  return new Map([[path, absent]]);
}

function isOfObjects(schema: unknown): schema is z.ZodUnion<z.ZodObject[]> {
  return schema instanceof z.ZodUnion && schema.options.every((option) => option instanceof z.ZodObject);
}

/** The members of an object's own default stand for those of its keys. */
function withDefaults(keys: Map<string, Absent>, path: string, value: unknown): Map<string, Absent> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return keys;
  for (const [key, member] of Object.entries(value)) keys.set(`${path}.${key}`, JSON.stringify(member));
  return keys;
}

function merged(maps: readonly Map<string, Absent>[]): Map<string, Absent> {
  return new Map(maps.flatMap((map) => [...map]));
}

/** The rows of the tables under a heading: key and default. */
function rowsOf(heading: string): Keys {
  const [, section] = page.split(new RegExp(`^#+ ${heading.replaceAll('.', '\\.')}$`, 'm'));
  if (section === undefined) throw new Error(`docs/configuration.md has no section ${heading}`);
  const [text = ''] = section.split(/^#+ /m);
  const rows = text.matchAll(/^\| `([^`]+)` +\| ([^|]+?) +\|/gm);
  return new Map(Array.from(rows, ([, key = '', value = '']) => [key, value.replaceAll('`', '')] as const));
}

describe('docs/configuration.md', () => {
  it.each(Object.entries(SECTIONS))('names every key of %s with its default, and no other', (heading, schema) => {
    const isElsewhere = (key: string) => schema === StandaloneFile && SAME_AS_ELSEWHERE.test(key);
    const keys = [...keysOf(schema)].filter(([key]) => !isElsewhere(key));
    expect(keys.length).toBeGreaterThan(1);
    expect(Object.fromEntries(rowsOf(heading))).toEqual(Object.fromEntries(keys));
  });

  it('has a section for each app that has a schema', () => {
    const apps = new URL('../apps/', import.meta.url);
    const configured = readdirSync(apps).filter((app) => existsSync(new URL(`${app}/src/${app}-config.ts`, apps)));
    expect(configured.length).toBeGreaterThan(7);
    for (const app of configured) expect(SECTIONS).toHaveProperty(app === 'standalone' ? 'The file of npm start' : app);
  });
});
