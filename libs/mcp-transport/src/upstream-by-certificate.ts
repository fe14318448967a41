import type { ClientCertificate, ToolDefinition, UpstreamCredential } from '@warder/contracts';
import type { HttpUpstream } from './http-upstream.js';
import { ListChanges } from './list-changes.js';
import type { CallSignal, Upstream, UpstreamAnswer, UpstreamCall } from './upstream.js';
import { UpstreamFailure } from './upstream-failure.js';

/** What is connected with one certificate. */
interface Certified {
  readonly upstream: HttpUpstream;
  /** Calls and listings under way. */
  running: number;
}

/**
 * One MCP server, to which a connection says who we are: everybody's calls share the connections of one client, but for
 * those with a client certificate. Each certificate has a client of its own, with connections, sessions and a breaker
 * that nobody else's calls use. A certificate is known by its object: the same one is the same credential.
 */
export class UpstreamByCertificate implements Upstream {
  private readonly shared: HttpUpstream;
  /** The one that was used last at the end. */
  private readonly certified = new Map<ClientCertificate, Certified>();
  private readonly ended = new WeakSet<UpstreamCredential>();
  private readonly changes = new ListChanges();
  private isClosed = false;

  /** @param certificatesMax - that are connected with at a time */
  constructor(
    readonly name: string,
    private readonly make: (certificate?: ClientCertificate) => HttpUpstream,
    private readonly certificatesMax: number,
  ) {
    this.shared = make();
    this.shared.onListChanged(() => this.changes.tell());
  }

  call(call: UpstreamCall): Promise<UpstreamAnswer> {
    const { credential } = call;
    if (credential?.kind !== 'client-certificate') return this.shared.call(call);
    return this.with(credential, (upstream) => upstream.call(call));
  }

  discover(signal?: CallSignal, credential?: UpstreamCredential): Promise<ToolDefinition[]> {
    if (credential?.kind !== 'client-certificate') return this.shared.discover(signal, credential);
    return this.with(credential, (upstream) => upstream.discover(signal, credential));
  }

  onListChanged(listener: () => void): () => void {
    return this.changes.listen(listener);
  }

  forgetCredentials(): void {
    this.shared.forgetCredentials();
    for (const { upstream } of this.certified.values()) upstream.forgetCredentials();
  }

  endCredential(credential: UpstreamCredential): void {
    if (credential.kind !== 'client-certificate') return this.shared.endCredential(credential);
    this.ended.add(credential);
    this.cut(credential);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.changes.close();
    await this.shared.close();
    for (const certificate of this.certified.keys()) this.cut(certificate);
  }

  private async with<T>(certificate: ClientCertificate, work: (upstream: HttpUpstream) => Promise<T>): Promise<T> {
    const certified = this.of(certificate);
    certified.running += 1;
    try {
      return await work(certified.upstream);
    } finally {
      certified.running -= 1;
    }
  }

  private of(certificate: ClientCertificate): Certified {
    if (this.isClosed) throw new UpstreamFailure('cancelled', 'the upstream was removed', false);
    // Of a call that had it in hand when it ended. Nothing would end what it opened now.
    if (this.ended.has(certificate)) throw new UpstreamFailure('unauthorized', 'the certificate has ended', false);
    const known = this.certified.get(certificate);
    if (known !== undefined) this.certified.delete(certificate);
    else if (this.certified.size >= this.certificatesMax) this.makeRoom();
    const certified = known ?? { upstream: this.connected(certificate), running: 0 };
    this.certified.set(certificate, certified);
    return certified;
  }

  private connected(certificate: ClientCertificate): HttpUpstream {
    let upstream: HttpUpstream;
    try {
      upstream = this.make(certificate);
    } catch (error) {
      // Its message is of TLS or ours, and names no key.
      throw new UpstreamFailure('protocol', `no connection with a certificate: ${(error as Error).message}`, false);
    }
    upstream.onListChanged(() => this.changes.tell());
    return upstream;
  }

  /** Of those that nothing runs with the one that was used least lately goes. */
  private makeRoom(): void {
    for (const [certificate, { running }] of this.certified) if (running === 0) return this.cut(certificate);
    throw new UpstreamFailure('unavailable', `${this.certificatesMax} certificates are in use`, false);
  }

  /** Sockets are destroyed before this returns. */
  private cut(certificate: ClientCertificate): void {
    const certified = this.certified.get(certificate);
    if (certified === undefined) return;
    this.certified.delete(certificate);
    void certified.upstream.close();
  }
}
