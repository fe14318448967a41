import { readFileSync } from 'node:fs';
import type { RewrapProgress } from '../rewrap-all.js';
import { checkName, isName } from '../sealed-files.js';
import { checkContext, damaged, openText, sealText } from '../sealed-text.js';
import {
  checkValue,
  type SealContext,
  SecretError,
  type SecretStore,
  type StoreHealth,
  type VersionedSecret,
} from '../secret-store.js';
import { StateWatch } from '../state-watch.js';
import { DataKeys } from './data-keys.js';
import { createVaultClient, member, textOf, type VaultClient } from './vault-client.js';
import { createVaultLogin } from './vault-login.js';
import { VaultSession } from './vault-session.js';
import type { VaultSettings } from './vault-settings.js';
import { createVaultTransport } from './vault-transport.js';

/** A sealed value: the wrapped data key, then what it seals. The data key's wrapping may change, so it is not bound. */
const SEALED = /^t1\.(vault:v(\d{1,9}):[A-Za-z0-9+/=]{1,512})\.(.*)$/;
const FOLDERS_MAX = 4;

/**
 * A store in HashiCorp Vault or OpenBao: named secrets in KV version 2, sealed values by data keys of transit, which
 * seal here and are kept wrapped beside each value. Nothing is asked before the first use.
 */
export function createVaultStore(settings: VaultSettings): SecretStore {
  const { url, namespace, caFile } = settings;
  const transport = createVaultTransport({
    ...settings,
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
  });
  const client = createVaultClient(new URL(url).origin, namespace, transport);
  return new VaultStore(settings, client, () => transport.close());
}

class VaultStore implements SecretStore {
  readonly kind = 'vault';
  private readonly watch = new StateWatch();
  private readonly session: VaultSession;
  private readonly dataKeys: DataKeys;
  private isClosed = false;

  constructor(
    private readonly settings: VaultSettings,
    private readonly client: VaultClient,
    private readonly hangUp: () => Promise<void>,
  ) {
    const nowMs = () => performance.now();
    this.session = new VaultSession(client, createVaultLogin(client, settings), nowMs);
    this.dataKeys = new DataKeys(
      { make: () => this.makeDataKey(), unwrap: (wrapped) => this.unwrap(wrapped) },
      settings.dataKeys,
      nowMs,
    );
  }

  async put(name: string, value: string, expected?: number): Promise<number> {
    checkName(name);
    checkValue(name, value);
    const body = { data: { value }, ...(expected === undefined ? {} : { options: { cas: expected } }) };
    const answer = await this.asked((token) => this.client.write(this.pathOf('data', name), body, token));
    return versionOf(member(answer, 'data')?.version);
  }

  async get(name: string): Promise<string | undefined> {
    return (await this.read(name))?.value;
  }

  async read(name: string): Promise<VersionedSecret | undefined> {
    checkName(name);
    const answer = await this.asked((token) => this.client.read(this.pathOf('data', name), token));
    const data = member(answer, 'data');
    const value = member(data, 'data')?.value;
    if (data === undefined) return undefined;
    if (typeof value !== 'string') throw new SecretError('damaged', `secret ${name} was not written by us`);
    return { value, version: versionOf(member(data, 'metadata')?.version) };
  }

  async remove(name: string): Promise<boolean> {
    checkName(name);
    const path = this.pathOf('metadata', name);
    return this.asked(async (token) => {
      if ((await this.client.read(path, token)) === undefined) return false;
      // With its metadata every version goes; without, the value would stay to be undeleted.
      await this.client.remove(path, token);
      return true;
    });
  }

  async list(): Promise<readonly string[]> {
    const names = await this.asked((token) => this.namesUnder('', token, 0));
    return names.filter(isName).sort();
  }

  async seal(plain: Uint8Array, context: SealContext): Promise<string> {
    this.refuseWhenClosed();
    checkContext(context);
    const { wrapped, key } = await this.dataKeys.forSealing();
    return `t1.${wrapped}.${sealText(plain, key, 't1', context)}`;
  }

  async open(sealed: string, context: SealContext): Promise<Buffer> {
    this.refuseWhenClosed();
    checkContext(context);
    const [, wrapped, , body = ''] = SEALED.exec(sealed) ?? [];
    if (wrapped === undefined) throw damaged(context);
    return openText(body, await this.dataKeys.unwrapped(wrapped), 't1', context);
  }

  /** The data key alone is wrapped anew, by the vault: neither it nor the value is in clear here. */
  async rewrap(sealed: string, context: SealContext): Promise<string> {
    this.refuseWhenClosed();
    checkContext(context);
    const [, wrapped, version, body = ''] = SEALED.exec(sealed) ?? [];
    if (wrapped === undefined) throw damaged(context);
    const answer = await this.transit('rewrap', { ciphertext: wrapped });
    const sealedAnew = `t1.${answer}.${body}`;
    const [, , now] = SEALED.exec(sealedAnew) ?? [];
    return now === version ? sealed : sealedAnew;
  }

  /** The vault seals its own storage: there is nothing for us to do. */
  async reencrypt(tell?: (progress: RewrapProgress) => void): Promise<RewrapProgress> {
    this.refuseWhenClosed();
    const progress = { total: 0, done: 0, changed: 0, failed: 0 };
    tell?.(progress);
    return progress;
  }

  async health(): Promise<StoreHealth> {
    try {
      const said = await this.client.read('sys/health?standbyok=true', '');
      if (said?.sealed === true || said?.initialized === false)
        throw new SecretError('sealed', 'the vault is sealed: unseal it');
      // That it answers is not enough: it has to let us in.
      await this.asked(async () => undefined);
      return { state: 'ok' };
    } catch (error) {
      return this.tell(error);
    }
  }

  onStateChange(listener: (health: StoreHealth) => void): () => void {
    return this.watch.onChange(listener);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.dataKeys.close();
    await this.session.close();
    await this.hangUp();
  }

  private async makeDataKey(): Promise<{ wrapped: string; key: Buffer }> {
    const { mount, key } = this.settings.transit;
    const path = `${mount}/datakey/plaintext/${key}`;
    const data = member(await this.asked((token) => this.client.write(path, { bits: 256 }, token)), 'data');
    return { wrapped: textOf(data, 'ciphertext'), key: Buffer.from(textOf(data, 'plaintext'), 'base64') };
  }

  private async unwrap(wrapped: string): Promise<Buffer> {
    return Buffer.from(await this.transit('decrypt', { ciphertext: wrapped }), 'base64');
  }

  private async transit(verb: 'decrypt' | 'rewrap', body: object): Promise<string> {
    const { mount, key } = this.settings.transit;
    const answer = await this.asked((token) => this.client.write(`${mount}/${verb}/${key}`, body, token));
    return textOf(member(answer, 'data'), verb === 'decrypt' ? 'plaintext' : 'ciphertext');
  }

  private async namesUnder(folder: string, token: string, depth: number): Promise<string[]> {
    if (depth >= FOLDERS_MAX) return [];
    const { mount, prefix } = this.settings.kv;
    const names: string[] = [];
    for (const key of await this.client.list(`${mount}/metadata/${prefix}/${folder}`, token)) {
      if (!/^[a-z0-9-]+\/?$/.test(key)) continue;
      const name = `${folder}${key}`;
      if (key.endsWith('/')) names.push(...(await this.namesUnder(name, token, depth + 1)));
      else names.push(name);
    }
    return names;
  }

  private pathOf(part: 'data' | 'metadata', name: string): string {
    const { mount, prefix } = this.settings.kv;
    return `${mount}/${part}/${prefix}/${name}`;
  }

  private async asked<T>(work: (token: string) => Promise<T>): Promise<T> {
    this.refuseWhenClosed();
    try {
      const result = await this.session.with(work);
      this.watch.seen({ state: 'ok' });
      return result;
    } catch (error) {
      this.tell(error);
      throw error;
    }
  }

  /** What an error says about the store, if it is about the store. */
  private tell(error: unknown): StoreHealth {
    if (!(error instanceof SecretError)) throw error;
    const { reason, message } = error;
    if (reason === 'sealed' || reason === 'unreachable' || reason === 'refused')
      return this.watch.seen({ state: reason, detail: message });
    return reason === 'closed' ? { state: 'unreachable', detail: message } : this.watch.health;
  }

  private refuseWhenClosed(): void {
    if (this.isClosed) throw new SecretError('closed', 'the secret store was closed');
  }
}

function versionOf(version: unknown): number {
  if (typeof version === 'number') return version;
  throw new SecretError('unreachable', 'the vault answers without a version: is KV version 2 mounted there?');
}
