import type { ProviderEntry, ProviderParameter } from './provider-entry.js';

/** A value that a parameter does not take. The message names the parameter and never the value. */
export class ParameterRefused extends Error {
  override readonly name = 'ParameterRefused';
}

/** A URL, and who named its host: only what an operator named may be a private address. */
export interface NamedUrl {
  readonly url: URL;
  readonly namedBy: 'catalogue' | 'operator';
}

const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/g;
const HOST_LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const KINDS: Record<ProviderParameter['kind'], RegExp> = {
  label: /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?$/,
  host: new RegExp(`^${HOST_LABEL}(?:\\.${HOST_LABEL}){0,9}(?::\\d{1,5})?$`),
  url: /^https?:\/\/[^\s#@\\]{1,400}$/,
};

/** The names in braces, in their order. */
export function placeholdersOf(template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
}

/**
 * Every parameter's value, the default where none is given; an optional one has none then.
 * @throws ParameterRefused for one that is missing, unknown, or not what its kind and pattern say
 */
export function parameterValues(
  entry: Pick<ProviderEntry, 'parameters'>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(entry.parameters, name)) throw new ParameterRefused(`there is no parameter ${name}`);
  const values: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(entry.parameters)) {
    const value = given[name] ?? parameter.default;
    if (value === undefined && parameter.isOptional) continue;
    if (value === undefined) throw new ParameterRefused(`the parameter ${name} has no value`);
    if (!takes(parameter, value)) throw new ParameterRefused(`${name} does not take this value`);
    values[name] = value;
  }
  return values;
}

function takes({ kind, pattern, values }: ProviderParameter, value: string): boolean {
  if (values !== undefined && !values.includes(value)) return false;
  // The whole value, whatever the pattern says of its ends: half a host is another host.
  return KINDS[kind].test(value) && (pattern === undefined || new RegExp(`^(?:${pattern})$`, 'u').test(value));
}

/**
 * The URL of a template. A value cannot leave its place: none of the kinds takes a character that ends a host or begins
 * a path, a query or a fragment, but a whole URL, which stands alone in its template.
 * @param values - of `parameterValues`
 * @throws ParameterRefused for a URL that is not https, unless an operator named it
 */
export function renderUrl(
  entry: Pick<ProviderEntry, 'parameters'>,
  template: string,
  values: Readonly<Record<string, string>>,
): NamedUrl {
  const url = new URL(renderText(template, values));
  const named = placeholdersOf(template).some((name) => {
    const parameter = entry.parameters[name];
    // A label within a provider's own domain is still the provider's; what the entry lists is the catalogue's.
    if (parameter === undefined || parameter.kind === 'label' || parameter.values !== undefined) return false;
    return values[name] !== parameter.default;
  });
  if (url.protocol !== 'https:' && !named) throw new ParameterRefused('a URL of the catalogue is not https');
  return { url, namedBy: named ? 'operator' : 'catalogue' };
}

/** Whether every parameter of a template has a value: an optional one may have none. */
export function isComplete(template: string, values: Readonly<Record<string, string>>): boolean {
  return placeholdersOf(template).every((name) => Object.hasOwn(values, name));
}

/** A template with its values, as text: an issuer is compared to the byte, and a URL adds a slash. */
export function renderText(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(PLACEHOLDER, (_all, name: string) => valueOf(values, name));
}

function valueOf(values: Readonly<Record<string, string>>, name: string): string {
  const value = values[name];
  if (value === undefined) throw new ParameterRefused(`the parameter ${name} has no value`);
  return value;
}
