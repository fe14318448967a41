// One-shot: makes every secret of the cluster, each into the volume of the one that needs it. What is there stays.
// SETUP_DIRS names the directory of each, `service=path,…`; SETUP_DATABASE is host:port of Postgres, SETUP_NODES the
// processes that sign on the bus, `service=node` or an ingress node.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SERVICES = ['identity', 'policy', 'credentials', 'guardrails', 'audit', 'ingress'];
const { SETUP_DIRS: dirs, SETUP_DATABASE: database, SETUP_NODES: nodes } = process.env;
if (!dirs || !database || !nodes) throw new Error('SETUP_DIRS, SETUP_DATABASE and SETUP_NODES are needed');
const places = new Map(dirs.split(',').map((pair) => pair.split('=')));

/** The file of that name in the directory of the service. */
function fileOf(service, ...names) {
  const place = places.get(service);
  if (place === undefined) throw new Error(`SETUP_DIRS names no directory for ${service}`);
  return join(place, ...names);
}

const random = () => randomBytes(32).toString('base64url');

/** The secret of a name, made once: the first directory that has it gives it to the others. */
function shared(name, directories, make = random, mode = 0o600) {
  const known = directories.map((service) => fileOf(service, name)).find((file) => existsSync(file));
  const value = known === undefined ? make() : readFileSync(known, 'utf8');
  for (const service of directories) write(fileOf(service, name), value, mode);
  return value;
}

function write(file, value, mode) {
  if (existsSync(file)) return;
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, value, { mode, flag: 'wx' });
  chmodSync(file, mode);
}

shared('pepper', SERVICES);
shared('session-key', ['ingress']);
shared('audit-mcp-key', ['audit', 'ingress']);
shared('keyring', ['credentials'], () => `k1 ${randomBytes(32).toString('hex')}\n`);
// By which each process comes in, once: credentials takes the token in, the process proves that it holds it.
for (const named of nodes.split(',')) {
  const [node, service = 'ingress'] = named.split('=').reverse();
  const place = service === 'ingress' ? [node] : [service, node];
  shared(join('join-tokens', ...place), ['credentials', service]);
}
// The database's own process reads it as another user than ours; only its container has this volume.
const password = shared('password', ['postgres'], () => randomBytes(24).toString('hex'), 0o444);
for (const service of SERVICES.filter((name) => name !== 'ingress')) {
  // Written each time: the password stays, the address may be another one.
  const file = fileOf(service, 'database-url');
  rmSync(file, { force: true });
  write(file, `postgres://warder:${password}@${database}/postgres`, 0o600);
}
write(fileOf('kafka', 'admin'), random(), 0o600);
// What fetches events for a SIEM logs in as `siem`, with the password that lies in this directory and nothing beside it.
write(fileOf('kafka', 'siem'), shared('kafka-password', ['siem']), 0o600);
for (const service of SERVICES) {
  const sasl = shared('kafka-password', [service]);
  write(fileOf('kafka', service), sasl, 0o600);
  if (!existsSync(fileOf(service, 'signing.key'))) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    write(fileOf(service, 'signing.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    for (const reader of SERVICES) {
      write(fileOf(reader, 'public', `${service}.pub`), publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
    }
  }
}
