import type { KeyObject } from 'node:crypto';
import type { Bus, Replica } from '@warder/bus';
import { type NodeEnrolled, nodeAnnouncedTopic, nodeEnrolledTopic } from '@warder/contracts';
import { announcementOf, textOfKey } from '@warder/leases';
import type { Logger } from '@warder/telemetry';
import type { IdentityFile } from './identity-file.js';

const LOOK_EVERY_MS = 1_000;
/** Milliseconds between two announcements that were not heard: twice as long each time, up to the second. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_MAX_MS = 60_000;

export interface EnrolmentParts {
  readonly bus: Pick<Bus, 'publish' | 'replica'>;
  readonly node: string;
  readonly file: IdentityFile;
  /** By which the node comes in; of no more use once it has. */
  readonly joinToken: string | undefined;
  readonly clock: { wallMs(): number };
  readonly log: Logger;
}

/** Brings the node's identity into the registry of credentials, and its next key in time. */
export class Enrolment {
  private state: NodeEnrolled | undefined;
  private replica: Replica | undefined;
  private timer: NodeJS.Timeout | undefined;
  private announcements = 0;
  private againAtMs = 0;

  constructor(private readonly parts: EnrolmentParts) {}

  /** Begins to follow the registry and to announce; resolves when the bus is there, or is given up on for now. */
  async start(): Promise<void> {
    const { bus, node } = this.parts;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    this.replica = await bus.replica(nodeEnrolledTopic, (name, state) => {
      if (name === node) this.apply(state);
    });
    this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.replica?.stop();
  }

  /** The key that credentials knows this node by; undefined while there is none. */
  identity(): KeyObject | undefined {
    return this.stands(this.parts.file.current) ? this.parts.file.current : undefined;
  }

  private apply(state: NodeEnrolled): void {
    // Whoever sends an old message again must not bring back a key that was revoked or changed.
    if (state.version <= (this.state?.version ?? 0)) return;
    this.state = state;
    const { file, log, node } = this.parts;
    if (file.next !== undefined && this.stands(file.next)) file.adoptNext();
    this.announcements = this.againAtMs = 0;
    if (state.status === 'revoked') log.error({ node }, 'this node was revoked: it gets no credentials any more');
  }

  private stands(key: KeyObject): boolean {
    const { state } = this;
    if (state === undefined || state.status === 'revoked' || state.identity !== textOfKey(key)) return false;
    return state.expiresAtMs > this.parts.clock.wallMs();
  }

  private look(): void {
    const { file, joinToken, clock } = this.parts;
    const nowMs = clock.wallMs();
    if (this.stands(file.current) && this.state !== undefined) {
      const { enrolledAtMs, expiresAtMs } = this.state;
      if (nowMs >= enrolledAtMs + ((expiresAtMs - enrolledAtMs) * 2) / 3) file.makeNext();
      if (file.next !== undefined) this.announce(file.next, { predecessor: file.current });
      return;
    }
    if (joinToken !== undefined) this.announce(file.current, { joinToken });
  }

  private announce(identity: KeyObject, by: { joinToken?: string; predecessor?: KeyObject }): void {
    const { bus, node, clock, log } = this.parts;
    const atMs = clock.wallMs();
    if (atMs < this.againAtMs) return;
    this.againAtMs = atMs + Math.min(AGAIN_FIRST_MS * 2 ** this.announcements, AGAIN_MAX_MS);
    this.announcements += 1;
    bus
      .publish(nodeAnnouncedTopic, node, announcementOf({ node, identity, atMs, ...by }))
      .catch((error: unknown) => log.warn({ err: error }, 'this node could not announce itself'));
  }
}
