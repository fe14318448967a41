/**
 * Prepares a Vault or OpenBao for Warder: mounts, the wrapping key, policies, the AppRole of the credentials service.
 * What is there already stays. Then it writes `role-id` and a fresh `wrapped-secret-id` for the service to start with.
 *
 *   VAULT_ADDR            where it is
 *   VAULT_TOKEN_FILE      a token that may do all this (or VAULT_TOKEN)
 *   SETUP_VAULT_DIR       directory that gets role-id and wrapped-secret-id
 *   SETUP_VAULT_INIT_DIR  for a vault of one machine only: initialises and unseals it, and keeps its keys there
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const WAIT_MS = 60_000;
const { VAULT_ADDR = 'http://127.0.0.1:8200', SETUP_VAULT_DIR, SETUP_VAULT_INIT_DIR } = process.env;
const ROLE = 'warder-credentials';

await untilAnswers();
let token;
token = SETUP_VAULT_INIT_DIR ? await opened(SETUP_VAULT_INIT_DIR) : givenToken();

await mountOnce('mounts/transit', { type: 'transit' });
await mountOnce('mounts/kv', { type: 'kv', options: { version: '2' } });
await mountOnce('auth/approle', { type: 'approle' });
// One version: what was replaced, perhaps because it leaked, is not to be read again.
await ask('POST', 'kv/config', { max_versions: 1 }, 'a fresh KV mount is upgraded for a moment');
await ask('POST', 'transit/keys/warder', { type: 'aes256-gcm96' });
for (const name of ['credentials', 'deliver-secret-id']) {
  const policy = readFileSync(new URL(`${name}.hcl`, import.meta.url), 'utf8');
  await ask('PUT', `sys/policies/acl/warder-${name}`, { policy });
}
await ask('POST', `auth/approle/role/${ROLE}`, {
  token_policies: ['warder-credentials'],
  token_no_default_policy: true,
  token_ttl: '1h',
  token_max_ttl: '24h',
  // It logs in again with the one it unwrapped, as long as the process lives.
  secret_id_num_uses: 0,
  secret_id_ttl: '0',
});
if (SETUP_VAULT_DIR) {
  mkdirSync(SETUP_VAULT_DIR, { recursive: true, mode: 0o700 });
  keep(SETUP_VAULT_DIR, 'role-id', (await ask('GET', `auth/approle/role/${ROLE}/role-id`)).data.role_id);
  const wrapped = await ask('POST', `auth/approle/role/${ROLE}/secret-id`, {}, undefined, {
    'X-Vault-Wrap-TTL': '120s',
  });
  keep(SETUP_VAULT_DIR, 'wrapped-secret-id', wrapped.wrap_info.token);
}
console.log(`the vault at ${VAULT_ADDR} is ready for warder`);

function givenToken() {
  const { VAULT_TOKEN, VAULT_TOKEN_FILE } = process.env;
  const text = VAULT_TOKEN ?? (VAULT_TOKEN_FILE && readFileSync(VAULT_TOKEN_FILE, 'utf8').trim());
  if (!text) throw new Error('VAULT_TOKEN_FILE or VAULT_TOKEN is missing');
  return text;
}

/** Keys beside the vault are no protection against who has the machine; they let one machine start by itself. */
async function opened(dir) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'init.json');
  if (!existsSync(file)) {
    const made = await ask('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
    keep(dir, 'init.json', JSON.stringify({ key: made.keys_base64[0], token: made.root_token }));
  }
  const { key, token: root } = JSON.parse(readFileSync(file, 'utf8'));
  const { sealed } = await ask('GET', 'sys/seal-status');
  if (sealed) await ask('PUT', 'sys/unseal', { key });
  return root;
}

async function mountOnce(path, body) {
  const [kind, name] = path.split('/');
  const known = await ask('GET', `sys/${kind}`);
  if (!(`${name}/` in (known.data ?? known))) await ask('POST', `sys/${path}`, body);
}

async function untilAnswers() {
  const stopAtMs = Date.now() + WAIT_MS;
  for (;;) {
    const answer = await fetch(`${VAULT_ADDR}/v1/sys/seal-status`).catch(() => undefined);
    if (answer?.ok) return void (await answer.arrayBuffer());
    if (Date.now() > stopAtMs) throw new Error(`no vault answers at ${VAULT_ADDR}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** @param retried - why a 4xx or 5xx may pass by itself within a few seconds */
async function ask(method, path, body, retried, headers = {}) {
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`${VAULT_ADDR}/v1/${path}`, {
      method,
      headers: { ...(typeof token === 'string' ? { 'X-Vault-Token': token } : {}), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (answer.ok) return text === '' ? {} : JSON.parse(text);
    if (!retried || tries > 20) throw new Error(`${method} ${path}: ${answer.status} ${JSON.parse(text).errors}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function keep(dir, name, text) {
  const path = join(dir, name);
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}
