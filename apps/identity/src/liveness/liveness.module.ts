import { Inject, type OnApplicationBootstrap, type Provider } from '@nestjs/common';
import { guardedFetch } from '@warder/egress';
import type { Host } from '@warder/service-host';
import { Sealing } from '../authorization/sealing.js';
import type { IdentityConfig } from '../identity-config.js';
import { IdentityStore } from '../identity.store.js';
import { AccessEndings } from '../signals/access-endings.store.js';
import { OidcSignIn } from '../sign-in/oidc-sign-in.js';
import { LivenessChecks } from './liveness-checks.js';
import { LivenessStore } from './liveness.store.js';

const FETCH = { timeoutMs: 10_000, bytesMax: 262_144 };
/** Milliseconds between two looks for who is due; a sign-out elsewhere waits for the next. */
const LOOK_EVERY_MS = 1_000;
const MEASURE_EVERY_MS = 30_000;
const OPENING = Symbol('how providers are asked who is still there');

/** Begins to ask providers. */
class LivenessStart implements OnApplicationBootstrap {
  constructor(@Inject(OPENING) private readonly open: () => void) {}

  onApplicationBootstrap(): void {
    this.open();
  }
}

/** The part of identity that asks providers who is still there. */
export function livenessProviders(config: IdentityConfig, host: Host): Provider[] {
  const asked = config.signIn.providers.flatMap((provider) =>
    provider.kind === 'oidc' && provider.livenessMinutes !== undefined
      ? [{ provider, everyMs: provider.livenessMinutes * 60_000 }]
      : [],
  );
  return [
    {
      provide: LivenessStore,
      inject: [IdentityStore, Sealing],
      useFactory: (store: IdentityStore, sealing: Sealing) =>
        new LivenessStore(
          store,
          sealing,
          new Map(asked.map(({ provider, everyMs }) => [provider.id, everyMs])),
          Math.random,
        ),
    },
    {
      provide: OPENING,
      inject: [IdentityStore, LivenessStore, AccessEndings],
      useFactory: (store: IdentityStore, liveness: LivenessStore, endings: AccessEndings) => () => {
        if (asked.length === 0) return;
        const counter = host.metrics.counter('warder_liveness_checks_total', 'Questions to providers by their answer', [
          'provider',
          'became',
        ]);
        const checks = new LivenessChecks({
          store,
          liveness,
          endings,
          providers: new Map(
            asked.map(({ provider }) => {
              const fetch = guardedFetch({ ...FETCH, isNamed: () => provider.allowPrivateAddress });
              const origin = (): string => host.door.publicUrl().origin;
              const signIn = new OidcSignIn(provider, { origin, fetch, wallMs: () => host.clock.wallMs() });
              return [provider.id, (token: string) => signIn.stillThere(token)] as const;
            }),
          ),
          counted: (provider, became) => counter.inc({ provider, became }),
          onAway: (told) => host.log.warn(told, 'a provider cannot be asked who is still there'),
        });
        keepAsking(checks, host);
        measure(liveness, host);
      },
    },
    LivenessStart,
  ];
}

function keepAsking(checks: LivenessChecks, host: Host): void {
  let running: Promise<unknown> | undefined;
  const look = (): void => {
    running ??= checks
      .run()
      .catch((error: unknown) => host.log.error({ err: error }, 'who is still there could not be asked'))
      .finally(() => (running = undefined));
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  host.onDrain('questions to providers', async () => {
    clearInterval(timer);
    await running;
  });
}

function measure(liveness: LivenessStore, host: Host): void {
  const oldest = host.metrics.gauge(
    'warder_liveness_oldest_seconds',
    'Seconds since the answer of a provider on somebody active that is longest ago',
    ['provider'],
  );
  const look = async (): Promise<void> => {
    await liveness.sweep();
    const found = await liveness.oldestSeconds();
    oldest.reset();
    for (const [provider, seconds] of found) oldest.set({ provider }, seconds);
  };
  const timer = setInterval(
    () => void look().catch((error: unknown) => host.log.warn({ err: error }, 'liveness cannot be measured')),
    MEASURE_EVERY_MS,
  ).unref();
  host.onDrain('liveness', async () => clearInterval(timer));
}
