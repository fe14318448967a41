import { generateKeyPairSync } from 'node:crypto';
import type { Bus } from '@warder/bus';
import {
  connectionStateTopic,
  type LeaseGranted,
  leaseGrantedTopic,
  type LeaseRequested,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeEnrolledTopic,
  upstreamAuthStateTopic,
} from '@warder/contracts';
import {
  grantLease,
  isAnnouncementSigned,
  isJoinProof,
  isLeaseRequestSigned,
  joinTokenRecord,
  refuseLease,
} from '@warder/leases';

const JOIN_TOKEN = 'a-join-token-of-at-least-32-characters';
const IDENTITY_MS = 90 * 86_400_000;
/** At which people of a test have accounts. */
const PROVIDER = 'github';

interface Secret {
  readonly version: number;
  readonly upstream: string;
  readonly kind: 'headers' | 'environment';
  readonly name: string;
  readonly value: string;
}

/** Speaks on the bus as credentials does, and lets a test say when it answers, and what. */
export class CredentialsStand {
  readonly signer = generateKeyPairSync('ed25519').privateKey;
  readonly leasesConfig = { joinToken: JOIN_TOKEN };
  readonly asked: LeaseRequested[] = [];
  isAnswering = true;
  leaseMs = 900_000;
  private readonly secrets = new Map<string, Secret>();
  private readonly identities = new Map<string, string>();
  private enrolments = 0;

  constructor(
    private readonly bus: Bus,
    private readonly clock: { wallMs(): number },
  ) {}

  async start(): Promise<void> {
    await this.bus.own(nodeEnrolledTopic);
    await this.bus.watch(nodeAnnouncedTopic, 'end', ({ value: announced }) => {
      const { node, identity, join } = announced;
      const { verifier } = joinTokenRecord(JOIN_TOKEN);
      if (!isAnnouncementSigned(announced) || join === null) return;
      if (isJoinProof(verifier, node, identity, join.proof)) void this.enrol(node, identity);
    });
    await this.bus.watch(leaseRequestedTopic, 'end', ({ value }) => {
      this.asked.push(value);
      if (this.isAnswering) void this.answer(value);
    });
  }

  /** Makes the credential of an upstream another one, and tells every node as credentials does. */
  async put(upstream: string, name: string, value: string, kind: Secret['kind'] = 'headers'): Promise<void> {
    const id = `static/${upstream}`;
    const version = (this.secrets.get(id)?.version ?? 0) + 1;
    this.secrets.set(id, { version, upstream, kind, name, value });
    await this.tell(id, 'active');
  }

  async revoke(upstream: string): Promise<void> {
    const id = `static/${upstream}`;
    const secret = this.secrets.get(id)!;
    this.secrets.set(id, { ...secret, version: secret.version + 1 });
    await this.tell(id, 'revoked');
  }

  /** Says that calls of an upstream take their caller's own account. */
  async takeAccounts(upstream: string): Promise<void> {
    const auth = { version: 1, status: 'active' as const, upstream, kind: 'oauth_user' as const, provider: PROVIDER };
    await this.bus.publish(upstreamAuthStateTopic, upstream, auth);
  }

  /** A principal connects an account for the upstream; `value` is what its calls then carry. */
  async connect(upstream: string, principalId: string, value: string): Promise<void> {
    await this.tellAccount(principalId, this.refresh(upstream, principalId, value), 'active');
  }

  /** Ends what a principal connected. */
  async end(principalId: string, status: 'disconnected' | 'revoked'): Promise<void> {
    const id = `con_of_${principalId}`;
    const secret = this.secrets.get(id)!;
    this.secrets.set(id, { ...secret, version: secret.version + 1 });
    await this.tellAccount(principalId, secret.version + 1, status);
  }

  /** The account has another token, of which no node has heard. @returns its generation */
  refresh(upstream: string, principalId: string, value: string): number {
    const id = `con_of_${principalId}`;
    const version = (this.secrets.get(id)?.version ?? 0) + 1;
    this.secrets.set(id, { version, upstream, kind: 'headers', name: 'authorization', value });
    return version;
  }

  /** Publishes an answer of whatever kind. */
  send(granted: LeaseGranted): Promise<void> {
    return this.bus.publish(leaseGrantedTopic, granted.node, granted);
  }

  /** The lease that the request would be given. */
  grantOf(request: LeaseRequested, more: Partial<Secret> = {}, signer = this.signer): LeaseGranted {
    const nowMs = this.clock.wallMs();
    const secret = { ...this.secrets.get(request.connectionId)!, ...more };
    const { version, kind, name, value } = secret;
    const terms = { version, generation: version, issuedAtMs: nowMs, expiresAtMs: nowMs + this.leaseMs };
    return grantLease(request, { ...terms, credential: { kind, values: { [name]: value } } }, signer, nowMs);
  }

  async endNode(node: string): Promise<void> {
    await this.publishNode(node, 'revoked');
  }

  private async enrol(node: string, identity: string): Promise<void> {
    if (this.identities.get(node) === identity) return;
    this.identities.set(node, identity);
    await this.publishNode(node, 'active');
  }

  private publishNode(node: string, status: 'active' | 'revoked'): Promise<void> {
    this.enrolments += 1;
    const nowMs = this.clock.wallMs();
    return this.bus.publish(nodeEnrolledTopic, node, {
      version: this.enrolments,
      status,
      node,
      identity: this.identities.get(node)!,
      enrolledAtMs: nowMs,
      expiresAtMs: nowMs + IDENTITY_MS,
      service: 'ingress',
      previous: null,
      certificate: null,
      validFromMs: 0,
    });
  }

  private async answer(request: LeaseRequested): Promise<void> {
    if (!isLeaseRequestSigned(request) || this.identities.get(request.node) !== request.identity) return;
    const isKnown = this.secrets.has(request.connectionId);
    const nowMs = this.clock.wallMs();
    await this.send(isKnown ? this.grantOf(request) : refuseLease(request, 'connection-unknown', this.signer, nowMs));
  }

  private tellAccount(
    principalId: string,
    version: number,
    status: 'active' | 'disconnected' | 'revoked',
  ): Promise<void> {
    const id = `con_of_${principalId}`;
    const account = { kind: 'oauth_user' as const, provider: PROVIDER, principalId, accountId: null };
    const facts = { generation: version, expiresAtMs: null, scopes: [] };
    return this.bus.publish(connectionStateTopic, id, { version, status, id, ...account, ...facts });
  }

  private async tell(id: string, status: 'active' | 'revoked'): Promise<void> {
    const { version, upstream, kind, name } = this.secrets.get(id)!;
    const told = kind === 'headers' ? ('header' as const) : ('environment' as const);
    await this.bus.publish(connectionStateTopic, id, { version, status, id, upstream, kind: told, name });
  }
}
