import { z } from 'zod';
import { parseBody } from '@warder/service-host';
import { isObject } from './scim-attributes.js';
import { readFilter, type ScimFilter } from './scim-filter.js';

const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const COUNT_DEFAULT = 100;
const NAMES_MAX = 50;

const Names = z
  .string()
  .max(2_000)
  .transform((text) => text.split(',').map((name) => name.trim().toLowerCase()))
  .refine((names) => names.length <= NAMES_MAX, `${NAMES_MAX} attributes at most`);

/** What to show of a resource; of the two `attributes` wins. */
const Shown = { attributes: Names.optional(), excludedAttributes: Names.optional() };

/** Tolerant of what a client adds: parameters that mean nothing to us (`sortBy`) change nothing. */
const ResourceQuery = z.object(Shown);
const ListQuery = z.object({
  ...Shown,
  filter: z.string().optional(),
  startIndex: z.coerce.number().int().max(10_000_000).default(1),
  count: z.coerce.number().int().max(1_000_000).default(COUNT_DEFAULT),
});

/** What of each resource is asked for. */
export interface Projection {
  /** Whether anybody looks at this attribute. */
  wants(attribute: string): boolean;
  of(resource: Record<string, unknown>): Record<string, unknown>;
}

/** Which resources are asked for. */
export interface ListAsked {
  readonly filter: ScimFilter | undefined;
  /** From 1. @see RFC 7644 section 3.4.2.4 */
  readonly startIndex: number;
  /** 0 asks for their number alone. */
  readonly count: number;
  readonly projection: Projection;
}

/** A page of resources, and how many there are in all. */
export interface ScimPage {
  readonly total: number;
  readonly resources: readonly Record<string, unknown>[];
}

/**
 * @param pageMax - resources in one page
 * @throws AdminError 400 for a parameter that is no number; ScimError 400 invalidFilter
 */
export function listAskedIn(query: unknown, pageMax: number): ListAsked {
  const { filter, startIndex, count, ...shown } = parseBody(ListQuery, query);
  return {
    filter: filter === undefined || filter.trim() === '' ? undefined : readFilter(filter),
    startIndex: Math.max(1, startIndex),
    count: Math.min(pageMax, Math.max(0, count)),
    projection: projectionOf(shown),
  };
}

/** What is asked of one resource. */
export function projectionAskedIn(query: unknown): Projection {
  return projectionOf(parseBody(ResourceQuery, query));
}

/** The answer to a list. */
export function listAnswer({ startIndex, projection }: ListAsked, { total, resources }: ScimPage): object {
  return {
    schemas: [LIST_SCHEMA],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources.map((resource) => projection.of(resource)),
  };
}

/** `id`, `schemas` and `meta` are always shown. @see RFC 7644 section 3.9 */
const ALWAYS = new Set(['id', 'schemas', 'meta']);

function projectionOf({
  attributes,
  excludedAttributes,
}: {
  attributes?: string[];
  excludedAttributes?: string[];
}): Projection {
  if (attributes !== undefined) {
    const isWanted = (path: string) => attributes.some((name) => covers(name, path));
    const wants = (key: string) => ALWAYS.has(key) || isWanted(key) || attributes.some((name) => isBelow(name, key));
    return { wants, of: (resource) => kept(resource, wants, (path) => isWanted(path)) };
  }
  const isLeft = (path: string) => !(excludedAttributes ?? []).some((name) => covers(name, path));
  const wants = (key: string) => ALWAYS.has(key) || isLeft(key);
  return { wants, of: (resource) => kept(resource, wants, isLeft) };
}

function kept(
  resource: Record<string, unknown>,
  wants: (key: string) => boolean,
  wantsPart: (path: string) => boolean,
): Record<string, unknown> {
  const part = (key: string, value: unknown): unknown => {
    if (ALWAYS.has(key)) return value;
    if (Array.isArray(value)) return value.map((item) => part(key, item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).filter(([name]) => wantsPart(`${key}.${name.toLowerCase()}`)));
  };
  const entries = Object.entries(resource).filter(([key]) => wants(key.toLowerCase()));
  return Object.fromEntries(entries.map(([key, value]) => [key, part(key.toLowerCase(), value)]));
}

/** Whether the name is the path itself or something above it; an extension's own are parted by a colon. */
function covers(name: string, path: string): boolean {
  const [one, other] = [plain(name), path];
  return one === other || other.startsWith(`${one}.`);
}

function isBelow(name: string, key: string): boolean {
  return plain(name).startsWith(`${key}.`);
}

function plain(name: string): string {
  const core = name.replace(/^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):/, '');
  return core.replace(/^(urn:.+:(?:user|group)):([^:]+)$/, '$1.$2');
}
