import { join, resolve } from 'node:path';
import type { ComposeFile, ComposeService } from './compose-file.js';

/** `<service>:<port in its container>` → port on this machine. */
export type PortMap = ReadonlyMap<string, number>;

/** Every port that the file speaks of, as `<service>:<port>`. */
export function portsOf(file: ComposeFile): string[] {
  const wanted = new Set<string>();
  const note = (service: string, port: string) => {
    wanted.add(`${service}:${port}`);
    return 0;
  };
  for (const service of file.services) {
    for (const port of service.publishedPorts) wanted.add(`${service.name}:${port}`);
    for (const [name, value] of Object.entries(service.environment)) {
      if (isPort(name, value)) wanted.add(`${service.name}:${value}`);
      replaceAddresses(value, service, file, note);
    }
    for (const word of [...service.command, ...service.healthTest]) replaceAddresses(word, service, file, note);
  }
  return [...wanted];
}

/**
 * Says where on this machine a container's names, ports and paths are: each service on 127.0.0.1 at a port of its own,
 * each volume a directory, the network loopback.
 */
export class ComposePlaces {
  constructor(
    private readonly file: ComposeFile,
    private readonly ports: PortMap,
    private readonly dirs: { readonly root: string; readonly volumes: string },
  ) {}

  /** The service's environment as its process gets it. */
  environmentOf(service: ComposeService): Record<string, string> {
    const entries = Object.entries(service.environment).map(([name, value]) => [
      name,
      isPort(name, value) ? String(this.portOf(service.name, value)) : this.translate(value, service),
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  }

  wordsOf(words: readonly string[], service: ComposeService): string[] {
    return words.map((word) => this.translate(word, service));
  }

  portOf(service: string, port: string | number): number {
    const here = this.ports.get(`${service}:${port}`);
    if (here === undefined) throw new Error(`no port ${port} of ${service} in the compose file`);
    return here;
  }

  /** The directory behind a volume, or the file or folder of the tree behind a bind mount. */
  sourceOf(source: string): string {
    return source.startsWith('.') ? resolve(this.dirs.root, source) : join(this.dirs.volumes, source);
  }

  private translate(text: string, service: ComposeService): string {
    const { subnet, gateway } = this.file.network;
    if (text === '0.0.0.0') return '127.0.0.1';
    const inNetwork = text.replaceAll(subnet, '127.0.0.0/8').replaceAll(gateway, '127.0.0.1');
    const addressed = replaceAddresses(inNetwork, service, this.file, (name, port) => this.portOf(name, port));
    // The longest first: a volume may lie within another's folder.
    const mounts = service.mounts.toSorted((one, other) => other.target.length - one.target.length);
    return mounts.reduce((path, { source, target }) => {
      // A whole path or the head of one, never the middle of another word.
      const place = new RegExp(`(?<![\\w./-])${target.replaceAll('.', '\\.')}(?=$|[/,\\s])`, 'g');
      return path.replace(place, () => this.sourceOf(source));
    }, addressed);
  }
}

// `localhost` is this machine, where a port is published; 127.0.0.1 and 0.0.0.0 are the container itself.
function replaceAddresses(
  text: string,
  service: ComposeService,
  file: ComposeFile,
  portOf: (service: string, port: string) => number,
): string {
  const names = file.services.map(({ name }) => name).sort((one, other) => other.length - one.length);
  const address = new RegExp(`(?<![\\w.-])(${names.join('|')}|localhost|127\\.0\\.0\\.1|0\\.0\\.0\\.0):(\\d+)\\b`, 'g');
  return text.replace(address, (_, host: string, port: string) => {
    if (host !== 'localhost') return `127.0.0.1:${portOf(names.includes(host) ? host : service.name, port)}`;
    const publisher = file.services.find(({ publishedPorts }) => publishedPorts.includes(Number(port)));
    if (publisher === undefined) throw new Error(`${service.name}: no service publishes port ${port}`);
    return `localhost:${portOf(publisher.name, port)}`;
  });
}

function isPort(name: string, value: string): boolean {
  return name.endsWith('PORT') && /^\d+$/.test(value);
}
