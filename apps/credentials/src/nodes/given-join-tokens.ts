import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceName } from '@warder/contracts';
import { ConfigError } from '@warder/service-host';

/** Characters of a token at least: 32 random bytes have 43. */
const TOKEN_LENGTH_MIN = 32;
const NODES_MAX = 1_000;

/** A token that was given with the other secrets, for one node of a service. */
export interface GivenJoinToken {
  readonly node: string;
  readonly service: ServiceName;
  readonly token: string;
}

/**
 * Reads the tokens that were given with the other secrets: a file per ingress node, named after it, and those of other
 * services in a directory of the service's name.
 * @throws ConfigError for a directory that cannot be read, or a token that anyone could guess
 */
export function givenJoinTokens(dir: string | undefined): readonly GivenJoinToken[] {
  if (dir === undefined) return [];
  const entries = entriesOf(dir);
  const services = ServiceName.options.filter((service) =>
    entries.some((entry) => entry.isDirectory() && entry.name === service),
  );
  const ofServices = services.flatMap((service) => tokensOf(join(dir, service), service));
  return [...tokensOf(dir, 'ingress'), ...ofServices].slice(0, NODES_MAX);
}

function tokensOf(dir: string, service: ServiceName): readonly GivenJoinToken[] {
  return entriesOf(dir).flatMap((entry) => {
    if (entry.isDirectory()) return [];
    const token = readable(dir, () => readFileSync(join(dir, entry.name), 'utf8').trim());
    if (token.length < TOKEN_LENGTH_MIN)
      throw new ConfigError(`nodes.joinTokensDir: ${entry.name} holds fewer than ${TOKEN_LENGTH_MIN} characters`);
    return { node: entry.name, service, token };
  });
}

function entriesOf(dir: string): readonly Dirent[] {
  return readable(dir, () => readdirSync(dir, { withFileTypes: true }));
}

function readable<T>(dir: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigError(`nodes.joinTokensDir: ${dir} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
