import { readFile } from 'node:fs/promises';
import { SecretError } from '../secret-store.js';
import { type Json, member, textOf, type VaultClient } from './vault-client.js';
import type { VaultSettings } from './vault-settings.js';

export interface VaultToken {
  readonly token: string;
  /** Milliseconds; 0 for one that does not end. */
  readonly ttlMs: number;
  readonly isRenewable: boolean;
}

/** Gets a token anew. @throws SecretError `refused` when we are not let in */
export type VaultLogin = () => Promise<VaultToken>;

/** The configured way in. What it logs in with is read from its file each time, for platforms replace it. */
export function createVaultLogin(client: VaultClient, settings: VaultSettings): VaultLogin {
  const { approle, kubernetes, jwt } = settings;
  if (approle) {
    const secretIds = new SecretIds(client, approle);
    return async () => {
      const enter = async (secretId: string) =>
        tokenOf(
          await client.write(`auth/${approle.mount}/login`, { role_id: approle.roleId, secret_id: secretId }, ''),
        );
      const known = await secretIds.get();
      try {
        return await enter(known);
      } catch (error) {
        const next = isRefused(error) ? await secretIds.renewed(known) : undefined;
        if (next === undefined) throw error;
        return enter(next);
      }
    };
  }
  const platform = kubernetes ?? jwt;
  if (!platform) throw new TypeError('no way into the vault is configured');
  const { mount, role, tokenFile } = platform;
  return async () => tokenOf(await client.write(`auth/${mount}/login`, { role, jwt: await textIn(tokenFile) }, ''));
}

/** What a login or a renewal answers. */
export function tokenOf(answer: Json | undefined): VaultToken {
  const auth = member(answer, 'auth');
  const seconds = auth?.lease_duration;
  return {
    token: textOf(auth, 'client_token'),
    ttlMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : 0,
    isRenewable: auth?.renewable === true,
  };
}

/**
 * The secret id of an AppRole. A wrapped one is unwrapped once, by us, and then stays in memory only; that it was
 * unwrapped before means that somebody else has it.
 */
class SecretIds {
  private held: { readonly secretId: string; readonly from: string } | undefined;

  constructor(
    private readonly client: VaultClient,
    private readonly approle: NonNullable<VaultSettings['approle']>,
  ) {}

  async get(): Promise<string> {
    return this.held?.secretId ?? (await this.fetched()).secretId;
  }

  /** Another one than the refused, if the file holds it by now. */
  async renewed(refused: string): Promise<string | undefined> {
    const { secretIdFile, wrappedSecretIdFile } = this.approle;
    const text = await textIn(secretIdFile ?? wrappedSecretIdFile ?? '');
    if (text === this.held?.from) return undefined;
    const { secretId } = await this.fetched();
    return secretId === refused ? undefined : secretId;
  }

  private async fetched(): Promise<{ secretId: string; from: string }> {
    const { secretIdFile, wrappedSecretIdFile } = this.approle;
    const from = await textIn(secretIdFile ?? wrappedSecretIdFile ?? '');
    const secretId = secretIdFile === undefined ? await this.unwrapped(from) : from;
    this.held = { secretId, from };
    return this.held;
  }

  private async unwrapped(wrapping: string): Promise<string> {
    try {
      const { creation_path: path } = (member(await this.lookUp(wrapping), 'data') ?? {}) as {
        creation_path?: unknown;
      };
      // Whoever could swap the file could wrap something of theirs: what we unwrap has to come from our AppRole.
      const isOurs =
        typeof path === 'string' && path.startsWith(`auth/${this.approle.mount}/role/`) && path.endsWith('/secret-id');
      if (!isOurs) throw new SecretError('refused', 'the wrapped secret id was not made by the AppRole it is for');
      return textOf(member(await this.client.write('sys/wrapping/unwrap', {}, wrapping), 'data'), 'secret_id');
    } catch (error) {
      if (!(error instanceof SecretError) || error.reason !== 'refused' || error.message.includes('AppRole'))
        throw error;
      const why = 'it has expired, or was unwrapped before; if not by this service, somebody else has the secret id';
      throw new SecretError('refused', `the wrapped secret id cannot be unwrapped: ${why}`);
    }
  }

  private lookUp(wrapping: string): Promise<Json | undefined> {
    return this.client.write('sys/wrapping/lookup', { token: wrapping }, '');
  }
}

async function textIn(file: string): Promise<string> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    if (text === '' || text.length > 65_536) throw new SecretError('refused', `${file} holds nothing to log in with`);
    return text;
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new SecretError('refused', `${file} cannot be read (${code}): nothing to log in to the vault with`);
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof SecretError && error.reason === 'refused';
}
