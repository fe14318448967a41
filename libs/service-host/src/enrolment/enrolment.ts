import type { KeyObject } from 'node:crypto';
import type { Bus, Replica, Signer } from '@warder/bus';
import { type NodeEnrolled, nodeAnnouncedTopic, nodeEnrolledTopic, type ServiceName } from '@warder/contracts';
import { announcementOf, readCertificate, textOfKey } from '@warder/leases';
import type { Logger } from '@warder/telemetry';
import type { IdentityFile } from './identity-file.js';

const LOOK_EVERY_MS = 1_000;
/** Milliseconds between two announcements that were not heard: twice as long each time, up to the second. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_MAX_MS = 60_000;

export interface EnrolmentParts {
  readonly bus: Pick<Bus, 'publish' | 'replica'>;
  readonly node: string;
  readonly service: ServiceName;
  readonly file: IdentityFile;
  /** By which the node comes in; of no more use once it has. */
  readonly joinToken: string | undefined;
  /** Ed25519, public: whose certificates are believed; none where nothing is signed by certificate. */
  readonly registrars: readonly KeyObject[];
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
  private signing: (Signer & { readonly expiresAtMs: number }) | undefined;
  private readonly rotated: (() => Promise<void>)[] = [];
  /** Of these, what is still to be done since the last change. */
  private readonly due = new Set<() => Promise<void>>();

  constructor(private readonly parts: EnrolmentParts) {
    this.readSigner();
  }

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

  /**
   * By what this node signs what everybody reads; undefined while there is nothing. What was had before the last stop is
   * good while the registrar is away: readers know of a revocation on their own.
   */
  signer(): Signer | undefined {
    if (this.state?.status === 'revoked' || this.signing === undefined) return undefined;
    return this.signing.expiresAtMs > this.parts.clock.wallMs() ? this.signing : undefined;
  }

  /**
   * Has state said again whenever this node signs by another key or certificate: what was signed before is believed until
   * that certificate ends, or the registrar's key is taken away, and by no reader that starts later. Tried again until it is
   * done.
   */
  onRotated(sayAgain: () => Promise<void>): void {
    this.rotated.push(sayAgain);
  }

  private apply(state: NodeEnrolled): void {
    // Whoever sends an old message again must not bring back a key that was revoked or changed.
    if (state.version <= (this.state?.version ?? 0)) return;
    this.state = state;
    const { file, log, node } = this.parts;
    const { signing } = this;
    if (file.next !== undefined && this.stands(file.next)) file.adoptNext();
    if (state.certificate !== null) file.keepCertificate(state.certificate);
    this.readSigner();
    if (signing !== undefined && signing.certificate !== this.signing?.certificate)
      this.rotated.forEach((each) => this.due.add(each));
    this.announcements = this.againAtMs = 0;
    if (state.status === 'revoked') log.error({ node }, 'this node was revoked: it is heard no more, and gets nothing');
  }

  private readSigner(): void {
    const { file, registrars } = this.parts;
    const { current: key, certificate: text } = file;
    const certificate = text === undefined ? undefined : readCertificate(text, registrars);
    const isOfKey = certificate?.identity === textOfKey(key);
    this.signing = isOfKey ? { key, certificate: text!, expiresAtMs: certificate.expiresAtMs } : undefined;
  }

  private stands(key: KeyObject): boolean {
    const { state } = this;
    if (state === undefined || state.status === 'revoked' || state.identity !== textOfKey(key)) return false;
    return state.expiresAtMs > this.parts.clock.wallMs();
  }

  private look(): void {
    const { file, joinToken, clock } = this.parts;
    const nowMs = clock.wallMs();
    this.sayAgain();
    if (this.stands(file.current) && this.state !== undefined) {
      const { enrolledAtMs, expiresAtMs } = this.state;
      if (nowMs >= enrolledAtMs + ((expiresAtMs - enrolledAtMs) * 2) / 3) file.makeNext();
      if (file.next !== undefined) this.announce(file.next, { predecessor: file.current });
      return;
    }
    if (joinToken !== undefined) this.announce(file.current, { joinToken });
  }

  private sayAgain(): void {
    for (const each of this.due) {
      this.due.delete(each);
      each().catch((error: unknown) => {
        this.parts.log.warn({ err: error }, 'state could not be signed anew, again');
        this.due.add(each);
      });
    }
  }

  private announce(identity: KeyObject, by: { joinToken?: string; predecessor?: KeyObject }): void {
    const { bus, node, service, clock, log } = this.parts;
    const atMs = clock.wallMs();
    if (atMs < this.againAtMs) return;
    this.againAtMs = atMs + Math.min(AGAIN_FIRST_MS * 2 ** this.announcements, AGAIN_MAX_MS);
    this.announcements += 1;
    bus
      .publish(nodeAnnouncedTopic, node, announcementOf({ node, service, identity, atMs, ...by }))
      .catch((error: unknown) => log.warn({ err: error }, 'this node could not announce itself'));
  }
}
