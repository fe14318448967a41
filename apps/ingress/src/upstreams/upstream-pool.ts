import type { CompiledUpstream } from '@warder/access';
import type { UpstreamCatalogue } from '@warder/contracts';
import {
  createUpstream,
  type StdioEntry,
  type Upstream,
  type UpstreamCall,
  UpstreamFailure,
  type UpstreamSettings,
} from '@warder/mcp-transport';
import type { Logger } from '@warder/telemetry';
import type { Recorded, UpstreamAnswer } from '../pipeline/call.js';
import type { LeaseTransport } from '../leases/lease-transport.js';
import { withoutCredential } from '../pipeline/credential-mask.js';
import type { InterimMessage, Upstreams } from '../pipeline/gateway.js';
import { Refusal } from '../pipeline/refusal.js';
import { maskedText } from '../record/masking.js';
import { Discovery } from './discovery.js';
import { refusalOf } from './upstream-refusal.js';

export interface UpstreamPoolParts {
  readonly node: string;
  readonly stdioEntries: ReadonlyMap<string, StdioEntry>;
  /** Addresses of what is built in, by name. */
  readonly builtIn: ReadonlyMap<string, string>;
  readonly leases: LeaseTransport;
  readonly discoveryEveryMs: number;
  readonly catalogueOf: (upstream: string) => UpstreamCatalogue | undefined;
  readonly publishCatalogue: (catalogue: UpstreamCatalogue) => Promise<void>;
  readonly clock: { wallMs(): number; monotonicMs(): number };
  readonly log: Logger;
}

interface Member {
  readonly settings: UpstreamSettings;
  /** The settings as text: the same text is the same upstream. */
  readonly fingerprint: string;
  readonly upstream: Promise<Upstream>;
  /** The same, once it is there: a call must not wait a turn for what it has. */
  ready: Upstream | undefined;
  readonly discovery: Discovery;
  /** How often its list changed, or it said so. */
  listChanges: number;
}

/**
 * One client per upstream of the policy, made and removed as the policy changes. Calls that run on one that goes, be it
 * for other settings, are given up: what it may no longer be asked must not go on.
 */
export class UpstreamPool implements Upstreams {
  private readonly members = new Map<string, Member>();

  constructor(private readonly parts: UpstreamPoolParts) {
    // A stream that stands open goes on under the old one; a child holds it in its environment, and nobody can take it out.
    parts.leases.onChanged((name) => this.replace(name));
    parts.leases.onEnded((name, credential) => this.members.get(name)?.ready?.endCredential(credential));
  }

  /** Brings the members in line with a policy. */
  apply(upstreams: ReadonlyMap<string, CompiledUpstream>): void {
    for (const name of this.members.keys()) if (!upstreams.has(name)) this.remove(name);
    for (const [name, described] of upstreams) {
      const settings = this.placed(name, described);
      if (settings === undefined) continue;
      const fingerprint = JSON.stringify(settings);
      if (this.members.get(name)?.fingerprint === fingerprint) continue;
      this.remove(name);
      this.add(name, settings, fingerprint);
    }
  }

  send(call: Recorded, timeoutMs: number, onInterim: (message: InterimMessage) => void): Promise<UpstreamAnswer> {
    const name = call.target.upstream;
    const member = this.members.get(name);
    if (!member) {
      return Promise.reject(
        new Refusal('WDR_UPSTREAM_FAILED', `Upstream "${name}" is not there`, 'left with its policy'),
      );
    }
    const asked = askedOf(call, timeoutMs, onInterim);
    const answered = member.ready ? member.ready.call(asked) : member.upstream.then((upstream) => upstream.call(asked));
    return answered.catch((error: unknown) => {
      if (call.signal.aborted) throw call.signal.reason;
      throw error instanceof UpstreamFailure ? refusalOf(name, error) : error;
    });
  }

  listChanges(upstream: string): number {
    return this.members.get(upstream)?.listChanges ?? 0;
  }

  async close(): Promise<void> {
    const members = [...this.members.values()];
    this.members.clear();
    await Promise.all(members.map((member) => this.end(member)));
  }

  /** The settings with an address of this node's own where they are of a built-in; undefined where it knows none. */
  private placed(name: string, described: CompiledUpstream): UpstreamSettings | undefined {
    const { transport, timeoutMs, allowPrivateAddress } = described;
    if (transport.kind !== 'built-in') return { transport, timeoutMs, allowPrivateAddress };
    const url = this.parts.builtIn.get(name);
    return url === undefined
      ? undefined
      : { transport: { kind: 'streamable-http', url }, timeoutMs, allowPrivateAddress };
  }

  private replace(name: string): void {
    const member = this.members.get(name);
    if (!member) return;
    if (member.settings.transport.kind !== 'stdio') {
      member.ready?.forgetCredentials();
      return member.discovery.trigger();
    }
    this.remove(name);
    this.add(name, member.settings, member.fingerprint);
  }

  private add(name: string, settings: UpstreamSettings, fingerprint: string): void {
    const { parts } = this;
    const stopping = new AbortController();
    const upstream = this.create(name, settings, stopping.signal);
    const discovery = new Discovery({
      upstream: name,
      node: parts.node,
      everyMs: parts.discoveryEveryMs,
      list: async (signal) => {
        const lease = await parts.leases.credentialFor(name, '', signal);
        if (lease.kind === 'missing' || lease.kind === 'unavailable') throw new Error(lease.detail);
        if (lease.kind === 'none') return (await upstream).discover(signal);
        const { credential } = lease;
        return withoutCredential(await (await upstream).discover(signal, credential), credential);
      },
      known: () => parts.catalogueOf(name),
      publish: (catalogue) => {
        member.listChanges += 1;
        return parts.publishCatalogue(catalogue);
      },
      wallMs: () => parts.clock.wallMs(),
      log: parts.log,
    });
    const member: Member = { settings, fingerprint, upstream, ready: undefined, discovery, listChanges: 0 };
    this.members.set(name, member);
    upstream.then(
      (made) => {
        member.ready = made;
        made.onListChanged(() => {
          member.listChanges += 1;
          discovery.changed();
        });
      },
      (error: unknown) => parts.log.error({ err: error, upstream: name }, 'an upstream cannot be used on this node'),
    );
    discovery.trigger();
  }

  private async create(name: string, settings: UpstreamSettings, signal: AbortSignal): Promise<Upstream> {
    const { stdioEntries, leases, clock } = this.parts;
    // A child may print what it was asked, or its environment.
    const log = this.parts.log.child({}, { serializers: { stderr: maskedText } });
    const options = { name, settings, log, clock };
    if (settings.transport.kind !== 'stdio') return createUpstream(options);
    const entry = stdioEntries.get(settings.transport.entry);
    const lease = await leases.environmentFor(name, signal);
    if (lease.kind === 'missing') throw new UpstreamFailure('unauthorized', lease.detail, false);
    // Made anew as soon as the lease comes.
    if (lease.kind === 'unavailable') throw new UpstreamFailure('unavailable', lease.detail, false);
    // Another node may have listed its tools: a call that comes here is refused, and is no bug.
    if (entry === undefined)
      throw new UpstreamFailure('unavailable', `stdioFile has no entry "${settings.transport.entry}"`, false);
    if (lease.kind === 'none') return createUpstream({ ...options, stdioEntry: entry });
    return createUpstream({ ...options, stdioEntry: { ...entry, env: { ...entry.env, ...lease.environment } } });
  }

  private remove(name: string): void {
    const member = this.members.get(name);
    if (!member) return;
    this.members.delete(name);
    this.end(member).catch((error: unknown) => this.parts.log.error({ err: error, upstream: name }, 'closing failed'));
  }

  private async end(member: Member): Promise<void> {
    await member.discovery.stop();
    // One that could not be made has nothing to close, and has been reported.
    const upstream = await member.upstream.catch(() => undefined);
    await upstream?.close();
  }
}

function askedOf(call: Recorded, timeoutMs: number, onInterim: (message: InterimMessage) => void): UpstreamCall {
  const asked = {
    tool: call.target.tool,
    argsText: call.argsText,
    args: call.cleanArgs,
    meta: call.cleanMeta,
    credential: call.upstreamCredential ?? undefined,
    clientCapabilities: call.clientCapabilities,
    signal: call.signal,
    timeoutMs,
  };
  // Asked for only where someone hears it: a progress token makes some upstreams answer with a stream.
  return call.progressToken === undefined ? asked : { ...asked, onInterim };
}
