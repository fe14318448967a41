import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A service of `docker-compose.yml`, as far as plain processes can honour it. */
export interface ComposeService {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  /** Service name → what to wait for. */
  readonly dependsOn: Readonly<
    Record<string, 'service_started' | 'service_healthy' | 'service_completed_successfully'>
  >;
  /** Empty where the file names none. */
  readonly healthTest: readonly string[];
  readonly publishedPorts: readonly number[];
  /** Runs to its end instead of staying. */
  readonly isOneShot: boolean;
}

export interface ComposeFile {
  readonly services: readonly ComposeService[];
  readonly volumes: readonly string[];
  /** Network in CIDR notation, and the address of its gateway. */
  readonly network: { readonly subnet: string; readonly gateway: string };
}

type Raw = Record<string, unknown>;

/** What the runner honours, and what has no meaning outside a container; any other key is an error. */
const SERVICE_KEYS = new Set(
  'image build init restart stop_grace_period read_only tmpfs cap_drop security_opt command environment volumes depends_on healthcheck ports'.split(
    ' ',
  ),
);

/**
 * Reads a compose file.
 * @throws Error naming the service and the key that a runner of plain processes would not honour, or a name that
 * nothing in the file declares
 */
export function readComposeFile(path: string): ComposeFile {
  const document = parse(readFileSync(path, 'utf8'), { merge: true }) as Raw;
  const volumes = Object.keys((document['volumes'] ?? {}) as Raw);
  const services = Object.entries(document['services'] as Record<string, Raw>).map(([name, raw]) =>
    readService(name, raw),
  );
  const networks = document['networks'] as { default: { ipam: { config: [ComposeFile['network']] } } };
  const names = new Set(services.map(({ name }) => name));
  for (const { name, mounts, dependsOn } of services) {
    for (const other of Object.keys(dependsOn)) {
      if (!names.has(other)) throw new Error(`${name}: depends_on names no service: ${other}`);
    }
    for (const { source } of mounts) {
      if (!source.startsWith('.') && !volumes.includes(source)) throw new Error(`${name}: no such volume: ${source}`);
    }
  }
  return { services, volumes, network: networks.default.ipam.config[0] };
}

function readService(name: string, raw: Raw): ComposeService {
  for (const key of Object.keys(raw)) if (!SERVICE_KEYS.has(key)) throw new Error(`${name}: key not honoured: ${key}`);
  const health = (raw['healthcheck'] as { test?: string[] } | undefined)?.test ?? [];
  if (health.length > 0 && health[0] !== 'CMD') throw new Error(`${name}: a health check is a CMD list`);
  const dependencies = (raw['depends_on'] ?? {}) as Record<string, { condition: 'service_started' }>;
  return {
    name,
    image: String(raw['image']),
    command: ((raw['command'] ?? []) as unknown[]).map(String),
    environment: textValues((raw['environment'] ?? {}) as Raw),
    mounts: ((raw['volumes'] ?? []) as string[]).map(readMount),
    dependsOn: Object.fromEntries(Object.entries(dependencies).map(([other, { condition }]) => [other, condition])),
    // Compose reads $$ as one dollar sign.
    healthTest: health.slice(1).map((word) => word.replaceAll('$$', '$')),
    publishedPorts: ((raw['ports'] ?? []) as string[]).map((port) => Number(port.split(':').at(-1))),
    isOneShot: raw['restart'] === 'no',
  };
}

function readMount(text: string): { source: string; target: string } {
  const [source = '', target = ''] = text.split(':');
  return { source, target };
}

function textValues(values: Raw): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
