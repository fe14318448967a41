import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PartyFiles } from './certificates.js';
import { checkoutRoot } from './compose-cluster.js';
import { resolveOpenBao } from './openbao-binary.js';

const run = promisify(execFile);
const READY_TIMEOUT_MS = 60_000;
const PROBE_EVERY_MS = 25;
const STOP_TIMEOUT_MS = 10_000;

/**
 * A real OpenBao of one test on loopback: a server with storage and an audit device, initialised and unsealed, prepared
 * for Warder by `deploy/vault/setup.mjs`.
 */
export class OpenBao {
  private child: ChildProcess | undefined;
  private unsealKey = '';
  rootToken = '';

  private constructor(
    private readonly binary: string,
    private readonly homeDir: string,
    private readonly port: number,
    private readonly tlsPort: number,
  ) {}

  /**
   * @param tls - has it listen with TLS too
   * @throws Error with one sentence when it cannot be resolved or does not answer
   */
  static async start(tls?: Pick<PartyFiles, 'certificateFile' | 'keyFile'>): Promise<OpenBao> {
    const binary = await resolveOpenBao();
    const homeDir = await mkdtemp(join(tmpdir(), 'warder-openbao-'));
    const [port, clusterPort, tlsPort] = await freePorts();
    await mkdir(join(homeDir, 'data'));
    const listeners = tls ? [plainListener(port), tlsListener(tlsPort, tls)] : [plainListener(port)];
    await writeFile(join(homeDir, 'bao.hcl'), serverConfig(homeDir, port, clusterPort, listeners));
    const started = new OpenBao(binary, homeDir, port, tlsPort);
    try {
      await started.launch();
      const made = await started.ask<{ keys_base64: [string]; root_token: string }>('PUT', 'sys/init', {
        secret_shares: 1,
        secret_threshold: 1,
      });
      started.unsealKey = made.keys_base64[0];
      started.rootToken = made.root_token;
      await started.unseal();
      await started.setUp();
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** With TLS, where it was started so. */
  get tlsUrl(): string {
    return `https://127.0.0.1:${this.tlsPort}`;
  }

  /** One call as root, or with another token. @throws Error with the status and the vault's words */
  async ask<T>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
    const answer = await fetch(`${this.url}/v1/${path}`, {
      method,
      headers: { ...(this.rootToken === '' ? {} : { 'x-vault-token': this.rootToken }), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  /** A fresh secret id of an AppRole, wrapped: the token that unwraps it once. */
  async wrappedSecretId(role = 'warder-credentials'): Promise<string> {
    const path = `auth/approle/role/${role}/secret-id`;
    const headers = { 'x-vault-wrap-ttl': '120s' };
    return (await this.ask<{ wrap_info: { token: string } }>('POST', path, {}, headers)).wrap_info.token;
  }

  async roleId(role = 'warder-credentials'): Promise<string> {
    return (await this.ask<{ data: { role_id: string } }>('GET', `auth/approle/role/${role}/role-id`)).data.role_id;
  }

  /** The log of its audit device: each request and answer, secrets as digests. */
  auditLog(): Promise<string> {
    return readFile(join(this.homeDir, 'audit.log'), 'utf8');
  }

  async seal(): Promise<void> {
    await this.ask('PUT', 'sys/seal');
  }

  async unseal(): Promise<void> {
    await this.ask('PUT', 'sys/unseal', { key: this.unsealKey });
    // Unsealed, it still elects itself for a moment.
    await this.until(async () => (await fetch(`${this.url}/v1/sys/health`)).status === 200);
  }

  /** It no longer answers, and its connections stay open (SIGSTOP); resolves once each of its threads stands. */
  async pause(): Promise<void> {
    this.child?.kill('SIGSTOP');
    const tasks = `/proc/${this.child?.pid}/task`;
    await this.until(async () => {
      const stats = await Promise.all((await readdir(tasks)).map((task) => readFile(`${tasks}/${task}/stat`, 'utf8')));
      return stats.every((stat) => /\) [Tt] /.test(stat));
    });
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  /** Ends the process; nothing listens any more. Its storage stays. */
  async halt(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(killer);
  }

  /** Starts it again on the same port and storage: sealed. */
  async launch(): Promise<void> {
    const env = { PATH: process.env.PATH ?? '', HOME: this.homeDir };
    const words = ['server', `-config=${join(this.homeDir, 'bao.hcl')}`, '-log-level=error'];
    const child = spawn(this.binary, words, { env, stdio: 'ignore' });
    child.once('error', () => {});
    const killWithUs = (): boolean => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    this.child = child;
    await this.until(async () => {
      if (child.exitCode !== null) throw new Error(`OpenBao ended at its start with code ${child.exitCode}.`);
      return (await fetch(`${this.url}/v1/sys/seal-status`)).ok;
    });
  }

  async stop(): Promise<void> {
    await this.halt();
    await rm(this.homeDir, { recursive: true, force: true });
  }

  private async setUp(): Promise<void> {
    const env = { ...process.env, VAULT_ADDR: this.url, VAULT_TOKEN: this.rootToken };
    await run(process.execPath, [join(checkoutRoot(), 'deploy/vault/setup.mjs')], { env });
  }

  private async until(holds: () => Promise<boolean>): Promise<void> {
    const stopAtMs = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < stopAtMs) {
      const isSo = await holds().catch((error: unknown) => {
        if (error instanceof TypeError) return false;
        throw error;
      });
      if (isSo) return;
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
    throw new Error(`OpenBao was not ready on port ${this.port} within ${READY_TIMEOUT_MS} ms.`);
  }
}

function plainListener(port: number): string {
  return `listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_disable = true
}`;
}

function tlsListener(port: number, tls: Pick<PartyFiles, 'certificateFile' | 'keyFile'>): string {
  return `listener "tcp" {
  address = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:0"
  tls_cert_file = "${tls.certificateFile}"
  tls_key_file = "${tls.keyFile}"
}`;
}

function serverConfig(homeDir: string, port: number, clusterPort: number, listeners: readonly string[]): string {
  return `api_addr = "http://127.0.0.1:${port}"
cluster_addr = "http://127.0.0.1:${clusterPort}"
storage "raft" {
  path = "${homeDir}/data"
  node_id = "n1"
}
${listeners.join('\n')}
audit "file" "main" {
  options {
    file_path = "${homeDir}/audit.log"
  }
}
`;
}

/** All at a time, so that they are not the same. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()];
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) await once(server.close(), 'close');
  return ports as [number, number, number];
}
