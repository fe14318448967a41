import { randomBytes } from 'node:crypto';
import type { NamedSecrets } from '@warder/secrets';
import { IsNull, Not, type DataSource } from 'typeorm';
import { Provider } from './provider.entity.js';

/** A secret that no row names is left alone for so long: its row may be about to be committed, here or elsewhere. */
const UNNAMED_MS = 3_600_000;
const NAME = /^provider\/[a-z0-9-]+(?:\/([0-9a-z]{8,9})-[0-9a-f]{12})?$/;

/**
 * Secrets of our clients at providers. Each has a name of its own and is never written over: it is stored before the row
 * that names it is committed, and the one before is removed after. No transaction waits for the store, and whichever of
 * the two fails, a row always means the secret that was given with it.
 */
export class ProviderSecrets {
  constructor(
    private readonly source: DataSource,
    private readonly secrets: Pick<NamedSecrets, 'put' | 'remove' | 'list'>,
    private readonly wallMs: () => number,
    private readonly tell: (error: unknown) => void,
  ) {}

  /**
   * Stores a secret that no row names yet.
   * @returns the name by which a row means it
   * @throws what the store throws while it is away; then nothing was changed
   */
  async store(providerId: string, secret: string): Promise<string> {
    const name = `provider/${providerId}/${this.wallMs().toString(36)}-${randomBytes(6).toString('hex')}`;
    await this.secrets.put(name, secret, 0);
    return name;
  }

  /** Removes one that no row names any more; where that fails it is left to `removeUnnamed`. */
  async forget(name: string | null): Promise<void> {
    if (name !== null) await this.secrets.remove(name).catch(this.tell);
  }

  /** Removes what a process left behind that died between the store and the database, or while the store was away. */
  async removeUnnamed(): Promise<void> {
    const stored = (await this.secrets.list()).filter((name) => this.isOld(name));
    const rows = await this.source.manager.find(Provider, { where: { secretName: Not(IsNull()) } });
    const named = new Set(rows.map(({ secretName }) => secretName));
    for (const name of stored) if (!named.has(name)) await this.secrets.remove(name);
  }

  /** Whether it is one of ours and was stored long ago; names of an earlier Warder do not say when. */
  private isOld(name: string): boolean {
    const found = NAME.exec(name);
    return found !== null && (found[1] === undefined || Number.parseInt(found[1], 36) <= this.wallMs() - UNNAMED_MS);
  }
}
