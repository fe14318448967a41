import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@warder/service-host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { credentialsService } from './index.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'warder-config-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const given = {
  WARDER_BUS__KIND: 'in-process',
  WARDER_DATABASE__URL: 'postgres://localhost/credentials',
  WARDER_PEPPER__CURRENT: 'p1',
  WARDER_PEPPER__KEYS__P1: 'a-pepper-of-thirty-two-characters-and-more',
};
const load = (environment: Record<string, string>) =>
  loadConfig(credentialsService, { environment: { ...given, ...environment } }).config.secrets;

describe('the configuration of secrets', () => {
  it('is what the compose file of the vault gives to the service', () => {
    const text = readFileSync(new URL('../../../deploy/vault/docker-compose.yml', import.meta.url), 'utf8');
    const file = parse(text) as { services: { credentials: { environment: Record<string, string> } } };
    const { environment } = file.services.credentials;
    const roleIdFile = join(root, 'role-id');
    writeFileSync(roleIdFile, 'a-role-id\n');
    const secrets = load({ ...environment, WARDER_SECRETS__VAULT__APPROLE__ROLE_ID_FILE: roleIdFile });
    expect(secrets).toMatchObject({
      store: 'vault',
      vault: {
        url: 'http://openbao:8200',
        plainHttp: true,
        transit: { mount: 'transit', key: 'warder' },
        kv: { mount: 'kv', prefix: 'warder' },
        approle: { roleId: 'a-role-id', wrappedSecretIdFile: '/run/warder-vault/wrapped-secret-id' },
      },
    });
  });

  it('is refused where the chosen store has no settings', () => {
    expect(() => load({ WARDER_SECRETS__STORE: 'vault' })).toThrow(/secrets\.vault/);
    expect(() => load({ WARDER_SECRETS__DIR: '/var/lib/secrets' })).toThrow(/secrets\.keyringFile/);
    expect(load({ WARDER_SECRETS__DIR: '/a', WARDER_SECRETS__KEYRING_FILE: '/b' }).store).toBe('embedded');
  });
});
