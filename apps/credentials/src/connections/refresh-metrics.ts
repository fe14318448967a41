import { storeErrorOf } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { NotBegun, RefreshBacklog } from './refresh.store.js';

/** Milliseconds between two looks at what waits: one short query over an index. */
const LOOK_EVERY_MS = 5_000;

/** How a refresh ended: its token was replaced, its owner has to connect again, it comes later, or it was not begun. */
export type RefreshOutcome = 'refreshed' | 'reconnect-required' | 'postponed' | NotBegun | 'store-away';

/**
 * Why a refresh brought nothing: the token is taken no more (`terminal`), our client or our request is refused, the
 * provider is busy, it said nothing before (`unsent`) or after (`unanswered`) the request had left, or our client there
 * cannot be used as it is set up.
 */
export type RefreshFailure = 'terminal' | 'client' | 'request' | 'busy' | 'unsent' | 'unanswered' | 'setup';

/** Refreshes in `/metrics`: how they ended, why they failed, how many wait and for how long, and which providers rest. */
export class RefreshMetrics {
  private readonly ended;
  private readonly failed;
  private readonly waiting;
  private readonly lateness;
  private readonly running;
  private readonly providers;
  private readonly certificates;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly host: Pick<Host, 'metrics' | 'log'>,
    private readonly backlog: () => Promise<RefreshBacklog>,
    private readonly runningNow: () => number,
  ) {
    const { metrics } = host;
    this.ended = metrics.counter('warder_refreshes_total', 'Refreshes of connections by how they ended', ['outcome']);
    this.failed = metrics.counter('warder_refresh_failures_total', 'Refreshes that brought no token, by why', ['why']);
    this.waiting = metrics.gauge('warder_refreshes_due', 'Connections whose token is due and was not replaced yet');
    this.lateness = metrics.gauge('warder_refresh_lateness_seconds', 'For how long the one that waits longest is due');
    this.running = metrics.gauge('warder_refreshes_running', 'Refreshes under way in this process');
    this.providers = metrics.gauge(
      'warder_refresh_providers',
      'Providers that rest, or that an operator has to see to',
      ['state'],
    );
    this.certificates = metrics.gauge(
      'warder_client_certificates_ending',
      'Client certificates in use that end within so many days',
      ['days'],
    );
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    void this.look();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  outcome(outcome: RefreshOutcome): void {
    this.ended.inc({ outcome });
  }

  failure(why: RefreshFailure): void {
    this.failed.inc({ why });
  }

  /** Reads what waits. A database that is away leaves the figures of before; readiness tells of it. */
  async look(): Promise<void> {
    this.running.set(this.runningNow());
    try {
      const { due, latestMs, paused, alarmed, endingInWeek, endingInMonth } = await this.backlog();
      this.waiting.set(due);
      this.lateness.set(latestMs / 1_000);
      this.providers.set({ state: 'paused' }, paused);
      this.providers.set({ state: 'alarm' }, alarmed);
      this.certificates.set({ days: '7' }, endingInWeek);
      this.certificates.set({ days: '30' }, endingInMonth);
    } catch (error) {
      this.host.log.warn({ err: storeErrorOf(error) }, 'due connections cannot be counted');
    }
  }
}
