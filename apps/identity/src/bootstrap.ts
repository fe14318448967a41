import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { AdminActor } from '@warder/postgres';
import { ConfigError } from '@warder/service-host';
import { isWellFormed, issueToken } from '@warder/tokens';
import type { IdentityStore } from './identity.store.js';
import { Principal } from './principal.entity.js';
import type { TokensStore } from './tokens.store.js';

const SERVICE: AdminActor = { principal: null, token: null, address: '' };

/**
 * On the very first start makes an administrator who is auditor too, and leaves its token in the file. The file is
 * written before the commit, and a token found in it is taken: a start cut short in between is simply repeated.
 * @throws ConfigError in one sentence when the file cannot be used
 */
export async function bootstrap(
  store: IdentityStore,
  tokens: TokensStore,
  tokenFile: string | undefined,
  days: number,
): Promise<void> {
  if (tokenFile === undefined) return;
  await store.change(async (manager) => {
    if ((await manager.count(Principal, { take: 1 })) > 0) return;
    const text = readOrWriteToken(tokenFile);
    const row: Principal = {
      id: store.newId('usr'),
      version: 1,
      status: 'active',
      kind: 'human',
      name: 'Administrator',
      email: null,
      groups: [],
      roles: ['admin', 'auditor'],
    };
    await store.savePrincipals(manager, [row]);
    await store.record(manager, 'principal.bootstrap', SERVICE, { id: row.id, roles: row.roles });
    const body = { name: 'bootstrap', expiresInDays: days, scopes: { tools: null } };
    await tokens.keep(manager, { text, principalId: row.id, body }, SERVICE);
  });
}

function readOrWriteToken(file: string): string {
  if (existsSync(file)) {
    const text = readFileSync(file, 'utf8').trim();
    if (isWellFormed(text)) return text;
    throw new ConfigError(`bootstrapTokenFile: ${file} exists and holds no token; remove it`);
  }
  const text = issueToken(randomBytes);
  // Whole or not at all, and readable by nobody else at any moment.
  const half = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const handle = openSync(half, 'wx', 0o600);
    writeSync(handle, `${text}\n`);
    fsyncSync(handle);
    closeSync(handle);
    linkSync(half, file);
  } catch (error) {
    throw new ConfigError(`bootstrapTokenFile: cannot write ${file} (${(error as NodeJS.ErrnoException).code})`);
  } finally {
    rmSync(half, { force: true });
  }
  return text;
}
