import type { Finding } from '@warder/contracts';
import type { Metrics } from '@warder/telemetry';
import type { Call } from './pipeline/call.js';
import type { Outcome } from './pipeline/gateway.js';

type Counted = { inc(): void };
type Observed = { observe(seconds: number): void };

const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 60];
/** Methods that get a label of their own; a client may invent others, and labels must not grow with what it invents. */
const METHODS: ReadonlySet<string> = new Set([
  'tools/call',
  'tools/list',
  'initialize',
  'server/discover',
  'subscriptions/listen',
  'ping',
]);

/** Counts operations by method and code, and how long they took. Label children are looked up once, not per call. */
export class OperationMetrics {
  private readonly counts = new Map<string, Counted>();
  private readonly durations = new Map<string, Observed>();

  constructor(private readonly metrics: Metrics) {}

  /** One operation ended. */
  ended(call: Call, outcome: Outcome): void {
    const method = METHODS.has(call.method) ? call.method : 'other';
    const code = outcome.kind === 'answered' ? 'answered' : outcome.refusal.code;
    this.count(method, code).inc();
    this.duration(method).observe(call.phases.elapsedMs() / 1_000);
    for (const finding of call.findings) this.found(finding);
  }

  private count(method: string, code: string): Counted {
    const key = `${method} ${code}`;
    let counted = this.counts.get(key);
    if (counted === undefined) {
      const name = 'warder_operations_total';
      counted = this.metrics
        .counter(name, 'Operations by method and how they ended', ['method', 'code'])
        .labels(method, code);
      this.counts.set(key, counted);
    }
    return counted;
  }

  /** A label of a rule on trial is one of at most 200 names. */
  private found({ category, action, count, shadow }: Finding): void {
    const trial = shadow === undefined ? '' : `${shadow.rule}: ${shadow.action}`;
    const help = 'What guardrails found, by what became of it and what a rule on trial would have done';
    this.metrics
      .counter('warder_findings_total', help, ['category', 'action', 'trial'])
      .inc({ category, action, trial }, count);
  }

  private duration(method: string): Observed {
    let observed = this.durations.get(method);
    if (observed === undefined) {
      const name = 'warder_operation_duration_seconds';
      const help = 'From the first byte of the message to the record of its end';
      observed = this.metrics.histogram(name, help, ['method'], BUCKETS_SECONDS).labels(method);
      this.durations.set(method, observed);
    }
    return observed;
  }
}
