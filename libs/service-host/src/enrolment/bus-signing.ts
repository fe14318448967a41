import type { KeyObject } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Bus, Replica, Signer, Signing } from '@warder/bus';
import { nodeEnrolledTopic, REGISTRAR, ServiceName } from '@warder/contracts';
import type { Logger } from '@warder/telemetry';
import type { Clock } from '../clock.js';
import { ConfigError } from '../config-error.js';
import type { HostSettings } from '../host-settings.js';
import { Enrolment } from './enrolment.js';
import { IdentityFile } from './identity-file.js';
import { publicKeysIn } from './public-keys.js';

type SigningSettings = NonNullable<Extract<HostSettings['bus'], { kind: 'kafka' }>['signing']>;

/** Milliseconds that a start waits for revocations: with the registrar away, those that are on the bus were read by then. */
const KNOWN_AFTER_MS_MAX = 3_000;
const LOOK_EVERY_MS = 50;

export interface BusSigningParts {
  readonly settings: SigningSettings;
  readonly node: string;
  readonly service: string;
  /** Of the registrar's process alone. */
  readonly registrarKey: KeyObject | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** By what this process signs on the bus, and whom it believes there: its enrolment, and those of all others. */
export class BusSigning implements Signing {
  readonly registrars: readonly KeyObject[];
  readonly known: Promise<void>;
  private readonly validFrom = new Map<string, number>();
  private readonly identity: IdentityFile | undefined;
  private joined: Enrolment | undefined;
  private replica: Replica | undefined;
  private isStopped = false;
  private becomeKnown = (): void => {};

  /** @throws ConfigError for keys that are missing, or that others can read */
  constructor(private readonly parts: BusSigningParts) {
    const { settings, service } = parts;
    this.registrars = publicKeysIn(settings.publicKeysDir, REGISTRAR);
    this.known = new Promise((resolve) => (this.becomeKnown = resolve));
    if (service === REGISTRAR) return;
    if (settings.identityFile === undefined)
      throw new ConfigError('bus.signing.identityFile is required: where this process keeps its own key');
    this.identity = new IdentityFile(settings.identityFile, 'bus.signing.identityFile');
  }

  /** How this process became known; undefined of the registrar, which enrols the others. */
  get enrolment(): Enrolment | undefined {
    return this.joined;
  }

  /** Begins to follow the registry and to enrol. Nobody waits for it: until then nothing is signed. */
  start(bus: Bus): void {
    const { node, service, settings, clock, log } = this.parts;
    if (this.identity !== undefined) {
      const { joinToken } = settings;
      const enrolling = { bus, node, service: ServiceName.parse(service), clock, log, joinToken };
      this.joined = new Enrolment({ ...enrolling, file: this.identity, registrars: this.registrars });
    }
    void this.follow(bus).catch((error: unknown) => log.error({ err: error }, 'enrolments cannot be read'));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.becomeKnown();
    await Promise.all([this.replica?.stop(), this.joined?.stop()]);
  }

  signer(): Signer | undefined {
    const { registrarKey } = this.parts;
    return registrarKey === undefined ? this.joined?.signer() : { key: registrarKey };
  }

  validFromMs(node: string): number {
    return this.validFrom.get(node) ?? 0;
  }

  private async follow(bus: Bus): Promise<void> {
    this.replica = await bus.replica(nodeEnrolledTopic, (node, { status, validFromMs }) => {
      this.validFrom.set(node, status === 'revoked' ? Infinity : validFromMs);
    });
    await this.joined?.start();
    await this.untilRead(this.replica, bus);
    this.becomeKnown();
  }

  /** The wait begins when the broker answers: before that nothing was read, and no revocation either. */
  private async untilRead(replica: Replica, bus: Bus): Promise<void> {
    const { clock } = this.parts;
    let sinceMs = clock.monotonicMs();
    while (!this.isStopped && !replica.isReady() && clock.monotonicMs() - sinceMs < KNOWN_AFTER_MS_MAX) {
      await setTimeout(LOOK_EVERY_MS, undefined, { ref: false });
      if (!bus.isConnected()) sinceMs = clock.monotonicMs();
    }
  }
}
