import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenBao } from '@warder/testing';
import { afterAll, beforeAll } from 'vitest';
import { VaultSettings } from './vault-settings.js';

/** One real OpenBao for the tests of a file, and a directory for what is logged in with. */
export interface VaultScene {
  readonly bao: OpenBao;
  readonly dir: string;
  /** Settings with an AppRole whose wrapped secret id was not used yet. */
  settings(changes?: object): Promise<VaultSettings>;
  /** Removes every named secret. */
  empty(): Promise<void>;
}

export function vaultScene(): VaultScene {
  let bao: OpenBao | undefined;
  let dir = '';
  let files = 0;
  beforeAll(async () => {
    bao = await OpenBao.start();
    dir = mkdtempSync(join(tmpdir(), 'warder-vault-'));
  });
  afterAll(async () => {
    await bao?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const running = (): OpenBao => {
    if (!bao) throw new Error('OpenBao was not started');
    return bao;
  };
  return {
    get bao() {
      return running();
    },
    get dir() {
      return dir;
    },
    async settings(changes = {}) {
      const wrappedSecretIdFile = join(dir, `wrapped-${(files += 1)}`);
      writeFileSync(wrappedSecretIdFile, `${await running().wrappedSecretId()}\n`);
      const approle = { roleId: await running().roleId(), wrappedSecretIdFile };
      return VaultSettings.parse({ url: running().url, approle, ...changes });
    },
    empty: () => emptyFolder(running(), 'warder/'),
  };
}

async function emptyFolder(bao: OpenBao, folder: string): Promise<void> {
  const path = `kv/metadata/${folder}`;
  const answer = await bao.ask<{ data: { keys: string[] } }>('GET', `${path}?list=true`).catch(() => undefined);
  for (const key of answer?.data.keys ?? []) {
    if (key.endsWith('/')) await emptyFolder(bao, folder + key);
    else await bao.ask('DELETE', path + key);
  }
}
