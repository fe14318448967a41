import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenBao } from '@warder/testing';

/**
 * The service's `secrets` for a real OpenBao, with an AppRole whose wrapped secret id was not used yet: a service that is
 * started again needs others.
 */
export async function vaultSecrets(bao: OpenBao, dir: string, more: object = {}): Promise<object> {
  const wrappedSecretIdFile = join(dir, `wrapped-${randomBytes(4).toString('hex')}`);
  writeFileSync(wrappedSecretIdFile, await bao.wrappedSecretId());
  const approle = { roleId: await bao.roleId(), wrappedSecretIdFile };
  return { store: 'vault', vault: { url: bao.url, approle, ...more } };
}
