import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { describeIssue } from './admin-error.js';
import { ConfigError } from './config-error.js';
import { readEnvironment, type EnvironmentKey } from './environment.js';
import { HostSettings } from './host-settings.js';
import type { Service } from './service.js';

export interface ConfigSources {
  /** Path of a YAML file; none: environment only. */
  file?: string | undefined;
  environment: Record<string, string | undefined>;
}

export interface LoadedConfig<Config> {
  settings: HostSettings;
  config: Config;
}

/**
 * Reads the whole configuration of a process once: a YAML file, overlaid by `WARDER_…` variables.
 * @throws ConfigError naming every unknown, missing or wrong key in one line
 */
export function loadConfig<Config>(service: Service<Config>, sources: ConfigSources): LoadedConfig<Config> {
  const document = sources.file === undefined ? {} : readYaml(sources.file);
  const hostKeys = new Set(Object.keys(HostSettings.shape));
  // The service's own keys are read by its schema, the others by the host's; neither knows the other's.
  const ofHost = (key: string | undefined) => hostKeys.has(key ?? '');
  for (const { path, value } of readEnvironment(HostSettings, only(sources.environment, ofHost)))
    set(document, path, value);
  const own = only(sources.environment, (key) => !ofHost(key));
  for (const { path, value } of readEnvironment(service.config, own)) set(document, path, value);
  const entries = Object.entries(document);
  const settings = HostSettings.safeParse(Object.fromEntries(entries.filter(([key]) => ofHost(key))));
  const config = service.config.safeParse(Object.fromEntries(entries.filter(([key]) => !ofHost(key))));
  const issues = [...(settings.error?.issues ?? []), ...(config.error?.issues ?? [])];
  if (!settings.success || !config.success) throw new ConfigError(issues.map(describeIssue).join('; '));
  return { settings: settings.data, config: deepFreeze(config.data) };
}

/**
 * Reads a YAML file that holds a mapping.
 * @throws ConfigError naming the file and, for bad YAML, the line
 */
export function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const lineCounter = new LineCounter();
  const parsed = parseDocument(text, { lineCounter, uniqueKeys: true });
  const [error] = parsed.errors;
  if (error !== undefined) throw new ConfigError(`${file}:${lineCounter.linePos(error.pos[0]).line}: ${error.code}`);
  const value: unknown = parsed.toJS({ maxAliasCount: 100 });
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new ConfigError(`${file}: holds no mapping of keys`);
  return value as Record<string, unknown>;
}

function only(
  environment: Record<string, string | undefined>,
  wanted: (key: string | undefined) => boolean,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => wanted(firstKey(name))));
}

// WARDER_PUBLIC_URL → publicUrl, WARDER_BUS__SASL__PASSWORD_FILE → bus, WARDER_PUBLIC_URL_FILE → publicUrl.
function firstKey(name: string): string | undefined {
  const [first = '', ...rest] = name.slice('WARDER_'.length).split('__');
  const whole = rest.length === 0 ? first.replace(/_FILE$/, '') : first;
  return whole.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function set(document: Record<string, unknown>, path: EnvironmentKey['path'], value: unknown): void {
  let at = document;
  for (const key of path.slice(0, -1)) {
    const below = Object.hasOwn(at, key) ? at[key] : undefined;
    const next = typeof below === 'object' && below !== null && !Array.isArray(below) ? below : {};
    at = at[key] = next as Record<string, unknown>;
  }
  at[path.at(-1) ?? ''] = value;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
