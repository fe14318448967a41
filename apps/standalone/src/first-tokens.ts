import { existsSync, readFileSync } from 'node:fs';
import { type AdminDoor, APPLY_WAIT_MS } from './admin-door.js';
import { writePrivateFile } from './private-file.js';

export interface DeveloperToken {
  readonly principalId: string;
  readonly token: string;
  readonly expiresAtMs: number;
  /** Issued just now, and so to be shown. */
  readonly isNew: boolean;
}

interface Kept {
  developer: { principalId: string; token: string; expiresAtMs: number };
}

const RENEW_BEFORE_MS = 86_400_000;

/**
 * The token of the local developer: from our own file, or a newly issued one for a newly made person. A token that
 * ends within a day is replaced, a person that was removed is made anew.
 * @param groups - the developer is put into, where made
 */
export async function developerToken(
  door: AdminDoor,
  tokensFile: string,
  groups: readonly string[],
  nowMs: number,
): Promise<DeveloperToken> {
  const kept = readKept(tokensFile);
  if (kept !== undefined && kept.developer.expiresAtMs > nowMs + RENEW_BEFORE_MS) {
    const { principalId } = kept.developer;
    return { principalId, token: kept.developer.token, expiresAtMs: kept.developer.expiresAtMs, isNew: false };
  }
  const principalId = kept?.developer.principalId ?? (await makeDeveloper(door, groups));
  const issued = await door.ask<{ token: string; expiresAtMs: number }>(
    'POST',
    `/identity/tokens?wait=${APPLY_WAIT_MS}`,
    {
      principalId,
      name: 'local developer',
    },
  );
  const { token, expiresAtMs } = issued;
  writePrivateFile(tokensFile, `${JSON.stringify({ developer: { principalId, token, expiresAtMs } })}\n`);
  return { principalId, token, expiresAtMs, isNew: true };
}

async function makeDeveloper(door: AdminDoor, groups: readonly string[]): Promise<string> {
  const made = await door.ask<{ id: string }>('POST', '/identity/principals', {
    name: 'Local Developer',
    email: 'developer@localhost.localdomain',
    groups,
  });
  return made.id;
}

function readKept(file: string): Kept | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept;
  } catch {
    // Cut by a full disk, say: a new token costs less than a start that fails.
    return undefined;
  }
}
