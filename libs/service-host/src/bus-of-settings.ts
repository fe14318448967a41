import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { createInProcessBus, createKafkaBus, type Bus, type KafkaBusOptions } from '@warder/bus';
import { REGISTRAR } from '@warder/contracts';
import type { Logger } from '@warder/telemetry';
import type { Clock } from './clock.js';
import { BusSigning } from './enrolment/bus-signing.js';
import { bytesOfFile, keyOfFile } from './enrolment/key-of-file.js';
import { publicKeysIn } from './enrolment/public-keys.js';
import type { HostSettings } from './host-settings.js';

/** Where this process's broker is and who it is there: what a thread of its own needs to reach it too. */
export type BrokerAccess = Pick<KafkaBusOptions, 'brokers' | 'sasl' | 'tls'>;

type KafkaSettings = Extract<HostSettings['bus'], { kind: 'kafka' }>;

/**
 * Builds the bus that the configuration names, and begins to enrol this process on it. Both connect in the background and
 * never block the start. The bus of one process needs no keys: nobody else can write there.
 * @throws ConfigError naming a key file that cannot be read
 */
export function busOfSettings(
  settings: HostSettings['bus'],
  process: { node: string; service: string; log: Logger; clock: Clock },
): { readonly bus: Bus; readonly signing: BusSigning | undefined } {
  const { node, service, clock } = process;
  const log = process.log.child({ part: 'bus' });
  if (settings.kind === 'in-process') {
    const { events, handlerMaxMs } = settings;
    const bus = createInProcessBus({ node, log, clock, handlerMaxMs, ...(events === undefined ? {} : { events }) });
    return { bus, signing: undefined };
  }
  const { signing, handlerMaxMs, fetchSilentMaxMs } = settings;
  const registrarKey = service === REGISTRAR ? signingKeyOf(settings) : undefined;
  const signs = signing && new BusSigning({ settings: signing, node, service, registrarKey, clock, log });
  const bus = createKafkaBus({
    node,
    service,
    log,
    clock,
    stuckBounds: { handlerMaxMs, fetchSilentMaxMs },
    ...accessOf(settings),
    ...(signs === undefined ? {} : { signing: signs }),
  });
  signs?.start(bus);
  return { bus, signing: signs };
}

/**
 * How to reach the broker; undefined where there is none.
 * @throws ConfigError naming a certificate that cannot be read
 */
export function brokerAccessOf(settings: HostSettings['bus']): BrokerAccess | undefined {
  return settings.kind === 'kafka' ? accessOf(settings) : undefined;
}

/**
 * This process's private key; undefined where none is named.
 * @throws ConfigError naming a key file that cannot be read
 */
export function signingKeyOf(settings: HostSettings['bus']): KeyObject | undefined {
  if (settings.kind !== 'kafka' || settings.signing === undefined) return undefined;
  return keyOfFile('bus.signing.keyFile', settings.signing.keyFile, createPrivateKey);
}

/**
 * By service, the keys in `bus.signing.publicKeysDir`; they are read when they are first asked for.
 * @param shared - the private key of a process whose services share it
 * @throws ConfigError, when asked, for a file that holds no key
 */
export function readPublicKeys(
  settings: HostSettings['bus'],
  shared: KeyObject | undefined,
): (service: string) => readonly KeyObject[] {
  if (shared !== undefined) {
    const own = [createPublicKey(shared)];
    return () => own;
  }
  if (settings.kind !== 'kafka' || settings.signing === undefined) return () => [];
  const { publicKeysDir } = settings.signing;
  const known = new Map<string, readonly KeyObject[]>();
  return (service) => {
    const keys = known.get(service) ?? publicKeysIn(publicKeysDir, service);
    known.set(service, keys);
    return keys;
  };
}

function accessOf({ brokers, sasl, tls }: KafkaSettings): BrokerAccess {
  return {
    brokers,
    ...(sasl === undefined ? {} : { sasl }),
    ...(tls === undefined
      ? {}
      : { tls: tls.caFile === undefined ? true : { ca: bytesOfFile('bus.tls.caFile', tls.caFile) } }),
  };
}
