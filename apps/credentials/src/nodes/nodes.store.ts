import { type KeyObject, randomBytes } from 'node:crypto';
import { type NodeAnnounced, type NodeEnrolled, nodeEnrolledTopic, type ServiceName } from '@warder/contracts';
import { certificateOf, isJoinProof, joinTokenRecord, textOfKey } from '@warder/leases';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { type DataSource, type EntityManager, IsNull } from 'typeorm';
import { JoinToken } from './join-token.entity.js';
import type { GivenJoinToken } from './given-join-tokens.js';
import { NodeIdentity, type NodeRow } from './node.entity.js';

/** What is told of a node. */
export type NodeView = NodeEnrolled;

/** What became of an announcement: nothing to do, a change, or why not. */
export type Admission = 'known' | 'enrolled' | 'rotated' | { readonly refused: NodeRefusal };

/** Why a node that announces itself is not taken. */
export type NodeRefusal =
  | 'node-unknown'
  | 'node-revoked'
  | 'node-expired'
  | 'join-token-unknown'
  | 'join-token-used'
  | 'join-token-expired'
  | 'join-proof-wrong'
  | 'predecessor-not-current';

const JOIN_TOKEN_HOURS = 24;
const HOUR_MS = 3_600_000;
/** Milliseconds for which what a node signed with the key before is still taken: for messages on their way. */
const PREVIOUS_KEPT_MS = 300_000;

/** Nodes, and the tokens by which they come in. A change and its message are one transaction, and so is its record. */
export class NodesStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    /** `registrarKey`: Ed25519, private, signs certificates; undefined where none is configured. */
    private readonly rules: { readonly identityMs: number; readonly registrarKey: KeyObject | undefined },
    private readonly wallMs: () => number,
  ) {}

  async list(): Promise<readonly NodeView[]> {
    const rows = await this.source.manager.find(NodeIdentity, { order: { node: 'ASC' } });
    return rows.map((row) => this.stateOf(row));
  }

  /** Issues a join token for one node, which is told once and good for a day. */
  async issueJoinToken(
    node: string,
    service: ServiceName,
    by: AdminActor,
  ): Promise<{ joinToken: string; expiresAtMs: number }> {
    const joinToken = `wdj_${randomBytes(32).toString('base64url')}`;
    const expiresAtMs = this.wallMs() + JOIN_TOKEN_HOURS * HOUR_MS;
    const record = { ...joinTokenRecord(joinToken), node, service, expiresAtMs: String(expiresAtMs), usedAtMs: null };
    await this.locked(async (manager) => {
      await manager.insert(JoinToken, record);
      await this.outbox.recordAdminAction(manager, {
        action: 'node.invite',
        by,
        arguments: { node, service, tokenId: record.id, expiresAtMs },
      });
    });
    return { joinToken, expiresAtMs };
  }

  /** Takes in tokens that were given with the other secrets; one that is known stays as it is, used or not. */
  async takeGivenTokens(tokens: readonly GivenJoinToken[]): Promise<void> {
    for (const { node, service, token } of tokens) {
      const { id, verifier } = joinTokenRecord(token);
      await this.source.query(
        'INSERT INTO join_token (id, node, service, verifier) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING',
        [id, node, service, verifier],
      );
    }
  }

  /** Takes a node in, or its next key, or says why not. The announcement's signatures were verified. */
  async admit(announced: NodeAnnounced): Promise<Admission> {
    const { node, service, identity, join, predecessor } = announced;
    const nowMs = this.wallMs();
    return this.locked(async (manager) => {
      const row: NodeRow | null = await manager.findOneBy(NodeIdentity, { node });
      const refused = standingOf(row, identity, nowMs);
      if (refused === undefined) return 'known';
      if (join !== null) {
        const refusal = await this.redeem(manager, announced, join, nowMs);
        if (refusal !== undefined) return { refused: refusal };
        await this.save(manager, this.enrolment(row, announced, nowMs));
        await this.recordOf(manager, 'node.enrol', { node, service, identity, tokenId: join.tokenId });
        return 'enrolled';
      }
      if (predecessor === null) return { refused };
      const ofPredecessor = standingOf(row, predecessor.identity, nowMs);
      if (ofPredecessor === 'node-unknown' || row?.service !== service) return { refused: 'predecessor-not-current' };
      if (ofPredecessor !== undefined) return { refused: ofPredecessor };
      const previousUntilMs = String(nowMs + PREVIOUS_KEPT_MS);
      const { identity: previousIdentity, validFromMs } = row;
      const next = { ...this.enrolment(row, announced, nowMs), previousIdentity, previousUntilMs, validFromMs };
      await this.save(manager, next);
      await this.recordOf(manager, 'node.rotate', { node, identity, previous: row.identity });
      return 'rotated';
    });
  }

  /**
   * Ends a node: it is answered nothing any more, and the leases that it has end within their time. No token that was
   * given for it before brings it back.
   * @throws AdminError 404 WDR_NODE_UNKNOWN
   */
  async revoke(node: string, by: AdminActor): Promise<NodeView> {
    return this.locked(async (manager) => {
      const row: NodeRow | null = await manager.findOneBy(NodeIdentity, { node });
      if (!row) throw new AdminError(404, 'WDR_NODE_UNKNOWN', 'no node of this name is enrolled');
      await manager.update(JoinToken, { node, usedAtMs: IsNull() }, { usedAtMs: String(this.wallMs()) });
      if (row.status === 'revoked') return this.stateOf(row);
      const revoked: NodeRow = {
        ...row,
        version: row.version + 1,
        status: 'revoked',
        previousIdentity: null,
        previousUntilMs: null,
      };
      await this.save(manager, revoked);
      await this.outbox.recordAdminAction(manager, { action: 'node.revoke', by, arguments: { node } });
      return this.stateOf(revoked);
    });
  }

  /**
   * Publishes every state again. What another key certified, or none, is a newer version: readers take no state that is as
   * old as the one they have, and would go on without the certificate.
   */
  async republish(): Promise<void> {
    await this.locked(async (manager) => {
      const rows: NodeRow[] = await manager.find(NodeIdentity);
      for (const row of rows) {
        const { certifiedBy } = this;
        const isSame = row.status === 'revoked' || row.certifiedBy === certifiedBy;
        if (isSame) await this.publish(manager, row);
        else await this.save(manager, { ...row, version: row.version + 1, certifiedBy });
      }
    });
  }

  private get certifiedBy(): string | null {
    const { registrarKey } = this.rules;
    return registrarKey === undefined ? null : textOfKey(registrarKey);
  }

  private async redeem(
    manager: EntityManager,
    { node, service, identity }: NodeAnnounced,
    { tokenId, proof }: NonNullable<NodeAnnounced['join']>,
    nowMs: number,
  ): Promise<NodeRefusal | undefined> {
    const token = await manager.findOneBy(JoinToken, { id: tokenId });
    if (token === null || token.node !== node || token.service !== service) return 'join-token-unknown';
    if (!isJoinProof(token.verifier, node, identity, proof)) return 'join-proof-wrong';
    if (token.usedAtMs !== null) return 'join-token-used';
    if (token.expiresAtMs !== null && Number(token.expiresAtMs) <= nowMs) return 'join-token-expired';
    await manager.update(JoinToken, { id: tokenId }, { usedAtMs: String(nowMs) });
    return undefined;
  }

  private enrolment(row: NodeRow | null, { node, service, identity }: NodeAnnounced, nowMs: number): NodeRow {
    return {
      node,
      service,
      version: (row?.version ?? 0) + 1,
      status: 'active',
      identity,
      previousIdentity: null,
      previousUntilMs: null,
      enrolledAtMs: String(nowMs),
      expiresAtMs: String(nowMs + this.rules.identityMs),
      validFromMs: String(nowMs),
      certifiedBy: this.certifiedBy,
    };
  }

  private recordOf(
    manager: EntityManager,
    action: string,
    what: { readonly node: string } & Record<string, unknown>,
  ): Promise<void> {
    const client = { name: what.node, by: action === 'node.enrol' ? 'join-token' : 'node-identity' };
    return this.outbox.recordAdminAction(manager, {
      action,
      by: { principal: null, token: null, client, address: '' },
      arguments: what,
    });
  }

  private async save(manager: EntityManager, row: NodeRow): Promise<void> {
    await manager.upsert(NodeIdentity, row, ['node']);
    await this.publish(manager, row);
  }

  private publish(manager: EntityManager, row: NodeRow): Promise<void> {
    return this.outbox.enqueue(manager, nodeEnrolledTopic, row.node, this.stateOf(row));
  }

  private stateOf(row: NodeRow): NodeEnrolled {
    const { node, service, version, status, identity, previousIdentity, previousUntilMs } = row;
    const previous =
      previousIdentity === null ? null : { identity: previousIdentity, untilMs: Number(previousUntilMs ?? 0) };
    const [expiresAtMs, enrolledAtMs] = [Number(row.expiresAtMs), Number(row.enrolledAtMs)];
    const { registrarKey } = this.rules;
    const certified = { node, service, identity, issuedAtMs: enrolledAtMs, expiresAtMs };
    const isCertified = registrarKey !== undefined && status === 'active';
    const certificate = isCertified ? certificateOf(certified, registrarKey) : null;
    const validFromMs = Number(row.validFromMs);
    const known = { version, status, node, service, identity, expiresAtMs, enrolledAtMs, previous };
    return { ...known, certificate, validFromMs };
  }

  private locked<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.source.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtext('warder-credentials-nodes'))`);
      return work(manager);
    });
  }
}

/** Why the key is not the one that the node is known by now; undefined where it is. */
function standingOf(row: NodeRow | null, identity: string, nowMs: number): NodeRefusal | undefined {
  if (row === null || row.identity !== identity) return 'node-unknown';
  if (row.status === 'revoked') return 'node-revoked';
  return Number(row.expiresAtMs) <= nowMs ? 'node-expired' : undefined;
}
