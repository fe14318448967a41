import NodeVault from 'node-vault';
import { SecretError } from '../secret-store.js';
import type { VaultTransport } from './vault-transport.js';

/** What we ask of a vault, each call with the token it is made with; the answer's body. */
export interface VaultClient {
  read(path: string, token: string): Promise<Json | undefined>;
  write(path: string, body: object, token: string): Promise<Json | undefined>;
  remove(path: string, token: string): Promise<void>;
  /** Names under a path; a folder's ends in `/`. */
  list(path: string, token: string): Promise<readonly string[]>;
}

export type Json = Readonly<Record<string, unknown>>;

/**
 * node-vault behind our own port. It is given no token to keep and no word of the environment (`VAULT_TOKEN`,
 * `VAULT_NAMESPACE`, ...), its debug output, which would show what is written, goes nowhere, and of its errors only the
 * status and a few known sentences are read.
 */
export function createVaultClient(url: string, namespace: string | undefined, transport: VaultTransport): VaultClient {
  const client = NodeVault({
    endpoint: url,
    noCustomHTTPVerbs: true,
    debug: () => undefined,
    'request-promise': { defaults: () => transport.send.bind(transport) },
  });
  Object.assign(client, { token: '', namespace: namespace ?? '', pathPrefix: '' });
  const as = (token: string) => ({ headers: token === '' ? {} : { 'X-Vault-Token': token } });
  return {
    read: (path, token) => orUndefined(() => client.read(path, as(token)), path),
    write: (path, body, token) => asked(() => client.write(path, body, as(token)), path),
    remove: async (path, token) => void (await asked(() => client.delete(path, as(token)), path)),
    list: async (path, token) => {
      const answer = await orUndefined(() => client.list(path, as(token)), path);
      const keys = member(answer, 'data')?.keys;
      return Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : [];
    },
  };
}

/** @returns the member where it is an object */
export function member(body: Json | undefined, name: string): Json | undefined {
  const found = body?.[name];
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Json) : undefined;
}

/** @throws SecretError `unreachable` when the answer has no such text: something else answers there */
export function textOf(body: Json | undefined, name: string): string {
  const found = body?.[name];
  if (typeof found !== 'string' || found === '')
    throw new SecretError('unreachable', `the vault answers without "${name}": is it one?`);
  return found;
}

async function orUndefined(work: () => Promise<unknown>, path: string): Promise<Json | undefined> {
  return asked(work, path, true);
}

async function asked(work: () => Promise<unknown>, path: string, is404Missing = false): Promise<Json | undefined> {
  try {
    const body = await work();
    return typeof body === 'object' && body !== null ? (body as Json) : undefined;
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const { statusCode, said } = answerOf(error);
    if (statusCode === 404 && is404Missing) return undefined;
    throw refusalOf(statusCode, said, path);
  }
}

/** The status and the vault's own sentences; what else the error holds is not looked at. */
function answerOf(error: unknown): { statusCode: number; said: string } {
  const response = (error as { response?: { statusCode?: unknown; body?: unknown } } | undefined)?.response;
  const errors = (response?.body as { errors?: unknown } | undefined)?.errors;
  return {
    statusCode: typeof response?.statusCode === 'number' ? response.statusCode : 0,
    said: Array.isArray(errors) ? errors.filter((each) => typeof each === 'string').join('; ') : '',
  };
}

function refusalOf(statusCode: number, said: string, path: string): SecretError {
  // Up to the mount and its verb: what follows may name a secret's owner, and is no secret.
  const where = `the vault answered ${statusCode} for ${path.split('?')[0]}`;
  if (statusCode === 503 && /sealed|not initialized/i.test(said))
    return new SecretError('sealed', 'the vault is sealed: unseal it');
  if (statusCode >= 500 || statusCode === 429 || statusCode === 0) return new SecretError('unreachable', where);
  if (statusCode === 400 && /check-and-set/i.test(said)) return new SecretError('conflict', where);
  if (statusCode === 400 && /version is disallowed|too old/i.test(said))
    return new SecretError('unknown-key', `${where}: the key version is no longer allowed to decrypt`);
  if (statusCode === 400 && /authentication failed|ciphertext|invalid.*base64|illegal base64/i.test(said))
    return new SecretError('damaged', where);
  return new SecretError('refused', where);
}
