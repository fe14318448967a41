import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@warder/service-host';

/** Characters of a token at least: 32 random bytes have 43. */
const TOKEN_LENGTH_MIN = 32;
const NODES_MAX = 1_000;

/**
 * Reads the tokens that were given with the other secrets: a file per node, named after it.
 * @throws ConfigError for a directory that cannot be read, or a token that anyone could guess
 */
export function givenJoinTokens(dir: string | undefined): ReadonlyMap<string, string> {
  if (dir === undefined) return new Map();
  try {
    const nodes = readdirSync(dir).slice(0, NODES_MAX);
    const tokens = nodes.map((node) => [node, readFileSync(join(dir, node), 'utf8').trim()] as const);
    const short = tokens.find(([, token]) => token.length < TOKEN_LENGTH_MIN);
    if (short)
      throw new ConfigError(`nodes.joinTokensDir: ${short[0]} holds fewer than ${TOKEN_LENGTH_MIN} characters`);
    return new Map(tokens);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`nodes.joinTokensDir: ${dir} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
