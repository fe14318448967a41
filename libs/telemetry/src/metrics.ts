import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * The process's Prometheus registry. Asking twice for a name gives the same instrument, so that the modules of
 * standalone can share one registry.
 */
export class Metrics {
  readonly registry = new Registry();

  /** Adds Node's own figures (event loop delay, heap, descriptors). Once per process. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    const known = this.registry.getSingleMetric(name);
    return known instanceof Counter
      ? known
      : new Counter({ name, help, labelNames: [...labels], registers: [this.registry] });
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    const known = this.registry.getSingleMetric(name);
    return known instanceof Gauge
      ? known
      : new Gauge({ name, help, labelNames: [...labels], registers: [this.registry] });
  }

  /** @param buckets - upper bounds, in the unit that the name ends with (seconds by Prometheus custom) */
  histogram(name: string, help: string, labels: readonly string[] = [], buckets?: readonly number[]): Histogram {
    const known = this.registry.getSingleMetric(name);
    return known instanceof Histogram
      ? known
      : new Histogram({
          name,
          help,
          labelNames: [...labels],
          registers: [this.registry],
          ...(buckets === undefined ? {} : { buckets: [...buckets] }),
        });
  }
}
