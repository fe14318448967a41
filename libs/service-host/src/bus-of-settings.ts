import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInProcessBus, createKafkaBus, type Bus, type KafkaBusOptions, type Signing } from '@warder/bus';
import { EVERY_TOPIC, isSignedTopic } from '@warder/contracts';
import type { Logger } from '@warder/telemetry';
import type { Clock } from './clock.js';
import { ConfigError } from './config-error.js';
import type { HostSettings } from './host-settings.js';

/** Where this process's broker is and who it is there: what a thread of its own needs to reach it too. */
export type BrokerAccess = Pick<KafkaBusOptions, 'brokers' | 'sasl' | 'tls'>;

type KafkaSettings = Extract<HostSettings['bus'], { kind: 'kafka' }>;

/**
 * Builds the bus that the configuration names. It connects in the background and never blocks the start.
 * @throws ConfigError naming a key file that cannot be read
 */
export function busOfSettings(
  settings: HostSettings['bus'],
  process: { node: string; service: string; log: Logger; clock: Clock },
): Bus {
  const { node, service, clock } = process;
  const log = process.log.child({ part: 'bus' });
  if (settings.kind === 'in-process') {
    const { events, handlerMaxMs } = settings;
    return createInProcessBus({ node, log, clock, handlerMaxMs, ...(events === undefined ? {} : { events }) });
  }
  const { signing, handlerMaxMs, fetchSilentMaxMs } = settings;
  return createKafkaBus({
    node,
    service,
    log,
    clock,
    stuckBounds: { handlerMaxMs, fetchSilentMaxMs },
    ...accessOf(settings),
    ...(signing === undefined ? {} : { signing: signingOf(signing) }),
  });
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
  return keyOf('bus.signing.keyFile', settings.signing.keyFile, createPrivateKey);
}

/**
 * By service, the keys of `bus.signing.publicKeysDir`; each is read when it is first asked for.
 * @param shared - the private key of a process whose services share it
 * @throws ConfigError, when asked, for a file that holds no key
 */
export function publicKeysOf(
  settings: HostSettings['bus'],
  shared: KeyObject | undefined,
): (service: string) => KeyObject | undefined {
  const own = shared && createPublicKey(shared);
  if (own !== undefined) return () => own;
  if (settings.kind !== 'kafka' || settings.signing === undefined) return () => undefined;
  const { publicKeysDir } = settings.signing;
  const known = new Map<string, KeyObject>();
  return (service) => {
    const key =
      known.get(service) ?? keyOf('bus.signing.publicKeysDir', join(publicKeysDir, `${service}.pub`), createPublicKey);
    known.set(service, key);
    return key;
  };
}

function accessOf({ brokers, sasl, tls }: KafkaSettings): BrokerAccess {
  return {
    brokers,
    ...(sasl === undefined ? {} : { sasl }),
    ...(tls === undefined ? {} : { tls: tls.caFile === undefined ? true : { ca: read('bus.tls.caFile', tls.caFile) } }),
  };
}

/** What has one writer, whose key every reader knows: state, and events that say so. */
function signingOf(settings: NonNullable<KafkaSettings['signing']>): Signing {
  const verify: Record<string, KeyObject> = {};
  for (const topic of EVERY_TOPIC) {
    const { name, writers } = topic;
    const [owner, ...others] = writers;
    if (!isSignedTopic(topic) || owner === undefined || others.length > 0) continue;
    const file = join(settings.publicKeysDir, `${owner}.pub`);
    verify[name] = keyOf('bus.signing.publicKeysDir', file, createPublicKey);
  }
  return { sign: keyOf('bus.signing.keyFile', settings.keyFile, createPrivateKey), verify };
}

function keyOf(key: string, file: string, make: (pem: Buffer) => KeyObject): KeyObject {
  const pem = read(key, file);
  try {
    return make(pem);
  } catch {
    throw new ConfigError(`${key}: ${file} holds no key in PEM`);
  }
}

function read(key: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new ConfigError(`${key}: ${file} cannot be read`);
  }
}
