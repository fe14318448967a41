import type { AskedProvider } from '@warder/access';
import { type GuardrailProvider, PROVIDER_SECRET, providerUpstream, type ProviderRecord } from '@warder/contracts';
import { type Asked, type GiveUp, type ProviderAnswer, ProviderClient } from '@warder/guardrail-providers';
import type { Logger, Metrics } from '@warder/telemetry';
import type { LeaseTransport } from '../leases/lease-transport.js';
import type { Providers } from '../pipeline/gateway.js';

export interface NodeProvidersParts {
  readonly leases: Pick<LeaseTransport, 'environmentFor'>;
  readonly metrics: Metrics;
  readonly clock: { wallMs(): number; monotonicMs(): number };
  readonly log: Logger;
}

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];
const UNKNOWN: ProviderAnswer = { ms: 0, error: 'unreachable' };
const FAILED: ProviderAnswer = { ms: 0, error: 'failed' };
const NEVER = { reason: undefined, throwIfAborted() {}, addEventListener() {}, removeEventListener() {} };

/** The guardrail providers of this node's policy, each with its client. */
export class NodeProviders implements Providers {
  private readonly clients = new Map<string, { readonly settingsText: string; readonly client: ProviderClient }>();

  constructor(private readonly parts: NodeProvidersParts) {}

  /** Takes the settings of a policy; a provider whose settings stay keeps its connections and its breaker. */
  apply(settings: Readonly<Record<string, GuardrailProvider>>): void {
    for (const [name, { settingsText, client }] of this.clients) {
      const now = Object.hasOwn(settings, name) ? JSON.stringify(settings[name]) : undefined;
      if (now === settingsText) continue;
      this.clients.delete(name);
      this.closed(client);
    }
    for (const [name, each] of Object.entries(settings)) {
      if (this.clients.has(name)) continue;
      const client = new ProviderClient(each, this.parts.clock);
      this.clients.set(name, { settingsText: JSON.stringify(each), client });
    }
  }

  async ask({ provider }: AskedProvider, asked: Asked, signal: GiveUp): Promise<ProviderAnswer> {
    // A call that began under a policy which had the provider, and is here under one that has not.
    const client = this.clients.get(provider)?.client;
    if (client === undefined) return UNKNOWN;
    const answer = await client
      .ask(asked, () => this.secretOf(provider), signal)
      .catch((error: unknown) => {
        // A bug of ours is no word of the provider's: what follows is what its operator decided for silence.
        this.parts.log.error({ err: error, provider }, 'a guardrail provider could not be asked, which is a bug');
        return FAILED;
      });
    this.count(provider, answer, client.isOpen);
    return answer;
  }

  toldAfter({ provider, phase, found, error }: ProviderRecord, callId: string): void {
    if (found.length === 0 && error === null) return;
    this.parts.log.warn({ provider, phase, callId, found, error }, 'what a guardrail provider said after a call');
  }

  /** Ends what still runs. */
  close(): Promise<void> {
    this.apply({});
    return Promise.resolve();
  }

  private async secretOf(provider: string): Promise<string | undefined> {
    const lease = await this.parts.leases.environmentFor(providerUpstream(provider), NEVER);
    return lease.kind === 'environment' ? lease.environment[PROVIDER_SECRET] : undefined;
  }

  private count(provider: string, { ms, error }: ProviderAnswer, isOpen: boolean): void {
    const { metrics } = this.parts;
    metrics
      .counter('warder_guardrail_provider_questions_total', 'Questions to guardrail providers, by how they ended', [
        'provider',
        'outcome',
      ])
      .inc({ provider, outcome: error ?? 'answered' });
    metrics
      .histogram(
        'warder_guardrail_provider_duration_seconds',
        'From the question to the whole answer, or to the error',
        ['provider'],
        BUCKETS_SECONDS,
      )
      .observe({ provider }, ms / 1_000);
    metrics
      .gauge('warder_guardrail_provider_breaker_open', 'Whether a provider is left alone for now', ['provider'])
      .set({ provider }, isOpen ? 1 : 0);
  }

  private closed(client: ProviderClient): void {
    client.close().catch((error: unknown) => this.parts.log.warn({ err: error }, 'a provider could not be closed'));
  }
}
