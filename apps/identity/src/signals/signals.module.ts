import { Inject, type OnApplicationBootstrap, type Provider } from '@nestjs/common';
import { AdminAccess } from '@warder/admin-access';
import { guardedFetch } from '@warder/egress';
import type { AdminActor } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { IdentityConfig } from '../identity-config.js';
import { IdentityStore } from '../identity.store.js';
import { Offboarding } from '../offboarding.store.js';
import { PeopleStore } from '../sign-in/people.store.js';
import { AccessEndings } from './access-endings.store.js';
import { EventReceiver } from './event-receiver.js';
import { Poller } from './poller.js';
import { metadataUrls, SenderKeys } from './sender-keys.js';
import type { TransmitterConfig, UniversalLogoutConfig } from './signals-config.js';
import { SIGNALS_PREFIX, SignalsDoor, type SignalRefusal } from './signals-door.js';
import { SignalsStore, type Speaker } from './signals.store.js';
import { LOGOUT_AGE_MAX_S, UniversalLogout } from './universal-logout.js';

const FETCH = { timeoutMs: 5_000, bytesMax: 262_144 };
const POLL_BYTES_MAX = 8_388_608;
/** Milliseconds of an answer beside those that the transmitter keeps the question open. */
const POLL_SPARE_MS = 10_000;
const LAG_EVERY_MS = 5_000;
const OPENING = Symbol('how signals are taken');

/** Opens the door of signals, and asks those transmitters that are to be asked. */
class SignalsStart implements OnApplicationBootstrap {
  constructor(@Inject(OPENING) private readonly open: () => void) {}

  onApplicationBootstrap(): void {
    this.open();
  }
}

/** The part of identity that hears from others that somebody's access has ended. */
export function signalProviders(config: IdentityConfig, host: Host): Provider[] {
  return [
    {
      provide: AccessEndings,
      inject: [IdentityStore, PeopleStore, Offboarding],
      useFactory: (store: IdentityStore, people: PeopleStore, offboarding: Offboarding) =>
        new AccessEndings(store, people, offboarding),
    },
    {
      provide: SignalsStore,
      inject: [IdentityStore, AccessEndings],
      useFactory: (store: IdentityStore, endings: AccessEndings) => new SignalsStore(store, endings),
    },
    {
      provide: OPENING,
      inject: [SignalsStore, AdminAccess],
      useFactory: (store: SignalsStore, access: AdminAccess) => () => open(config, host, store, access),
    },
    SignalsStart,
  ];
}

function open(config: IdentityConfig, host: Host, store: SignalsStore, access: AdminAccess): void {
  const { signals } = config;
  const onRefusal = (told: { code: SignalRefusal; detail: string; route: string; address: string }): void =>
    access.refused.note({
      kind: 'authentication',
      by: { principal: null, token: null, address: told.address },
      arguments: { method: 'POST', route: told.route },
      refusal: { code: told.code, detail: told.detail, isForbidden: true },
    });
  const receivers = signals.transmitters.map((each) => receiverOf(each, config, host, store));
  const logouts = signals.universalLogout.map((each) => logoutOf(each, config, host, store));
  const door = new SignalsDoor({
    receivers: new Map(receivers.map((each) => [each.config.id, each])),
    logouts: new Map(logouts.map((each) => [each.config.id, each])),
    rate: signals,
    bodyBytesMax: signals.bodyBytesMax,
    clientAddress: (request) => host.door.clientAddress(request),
    monotonicMs: () => host.clock.monotonicMs(),
    onRefusal,
    onBug: (error) => host.log.error({ err: error }, 'a signal could not be taken'),
  });
  host.mountRaw(SIGNALS_PREFIX, door.handle);
  startPolling(receivers, host, onRefusal);
}

function startPolling(
  receivers: readonly EventReceiver[],
  host: Host,
  onRefusal: (told: { code: SignalRefusal; detail: string; route: string; address: string }) => void,
): void {
  const lag = host.metrics.gauge(
    'warder_signals_poll_lag_seconds',
    'Seconds since a transmitter that is asked for its events last answered',
    ['transmitter'],
  );
  const pollers = receivers.flatMap((receiver) => {
    const { id, poll, allowPrivateAddress } = receiver.config;
    if (poll === undefined) return [];
    const timeoutMs = poll.waitSeconds * 1_000 + POLL_SPARE_MS;
    const poller = new Poller(receiver, poll, {
      fetch: guardedFetch({ timeoutMs, bytesMax: POLL_BYTES_MAX, isNamed: () => allowPrivateAddress }),
      monotonicMs: () => host.clock.monotonicMs(),
      random: Math.random,
      onRefusal: ({ detail }) =>
        onRefusal({ code: 'WDR_SIGNAL_REFUSED', detail, route: `${SIGNALS_PREFIX}/poll`, address: '' }),
      onFailure: (error, failures) =>
        host.log.warn({ err: error, transmitter: id, failures }, 'events cannot be had from a transmitter'),
    });
    const timer = setInterval(() => lag.set({ transmitter: id }, poller.lagSeconds()), LAG_EVERY_MS).unref();
    host.onDrain(`events of ${id}`, async () => {
      clearInterval(timer);
      await poller.stop();
    });
    return [poller];
  });
  for (const poller of pollers) poller.start();
}

function receiverOf(sender: TransmitterConfig, config: IdentityConfig, host: Host, store: SignalsStore): EventReceiver {
  const counter = host.metrics.counter('warder_signals_total', 'Security event tokens by what became of them', [
    'transmitter',
    'became',
  ]);
  const terms = {
    type: 'secevent+jwt',
    issuer: sender.issuer,
    audience: sender.audience,
    algorithms: sender.algorithms,
    keys: keysOf(sender, ['ssf-configuration', 'sse-configuration', 'openid-configuration'], host),
    ageMaxS: sender.maxAgeHours * 3_600,
    needsExpiry: false,
  } as const;
  return new EventReceiver(sender, {
    terms,
    store,
    speaker: (address) => speakerOf(sender, 'security-event', config, host, address),
    counted: (became) => counter.inc({ transmitter: sender.id, became }),
    wallMs: () => host.clock.wallMs(),
  });
}

function logoutOf(
  sender: UniversalLogoutConfig,
  config: IdentityConfig,
  host: Host,
  store: SignalsStore,
): UniversalLogout {
  const terms = {
    type: 'global-token-revocation+jwt',
    issuer: sender.issuer,
    audience: [`${host.door.publicUrl().origin}${SIGNALS_PREFIX}/universal-logout/${sender.id}`, ...sender.audience],
    algorithms: sender.algorithms,
    keys: keysOf(sender, ['openid-configuration', 'oauth-authorization-server'], host),
    ageMaxS: LOGOUT_AGE_MAX_S,
    needsExpiry: true,
  } as const;
  return new UniversalLogout(sender, {
    terms,
    store,
    speaker: (address) => speakerOf(sender, 'universal-logout', config, host, address),
    wallMs: () => host.clock.wallMs(),
  });
}

type Sender = Pick<UniversalLogoutConfig, 'id' | 'issuer' | 'subjectIssuers' | 'jwksUrl' | 'allowPrivateAddress'> & {
  readonly provider?: string | undefined;
};

function keysOf(sender: Sender, names: readonly string[], host: Host): SenderKeys {
  const { issuer, jwksUrl, allowPrivateAddress } = sender;
  return new SenderKeys({
    issuer,
    jwksUrl,
    metadataUrls: metadataUrls(issuer, names),
    fetch: guardedFetch({ ...FETCH, isNamed: () => allowPrivateAddress }),
    monotonicMs: () => host.clock.monotonicMs(),
  });
}

function speakerOf(sender: Sender, by: string, { signIn }: IdentityConfig, host: Host, address: string): Speaker {
  const { id, issuer, subjectIssuers, provider } = sender;
  const known = signIn.providers.find((each) => each.id === provider);
  const ofProvider = known !== undefined && 'issuer' in known && typeof known.issuer === 'string' ? [known.issuer] : [];
  const actor: AdminActor = { principal: null, token: null, client: { name: id, by }, address };
  const issuers = [issuer, ...subjectIssuers, ...ofProvider];
  return { id, realm: { provider, issuers, origin: host.door.publicUrl().origin }, by: actor };
}
