import type { HealthCheck } from './service.js';

export interface HealthAnswer {
  status: 200 | 503;
  body: {
    status: 'ok' | 'degraded' | 'failing';
    failing?: Record<string, string>;
    degraded?: Record<string, string>;
  };
}

/** Named checks behind `/healthz` or `/readyz`. */
export class Health {
  private readonly checks = new Map<string, HealthCheck>();

  add(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  /** Runs every check; one that throws is failing, for what cannot be told is not well. */
  answer(): HealthAnswer {
    const failing: Record<string, string> = {};
    const degraded: Record<string, string> = {};
    for (const [name, check] of this.checks) {
      const said = ask(check);
      if (typeof said === 'object') degraded[name] = said.degraded;
      else if (said !== true) failing[name] = said === false ? 'not ready' : said;
    }
    const told = Object.keys(degraded).length === 0 ? {} : { degraded };
    if (Object.keys(failing).length > 0) return { status: 503, body: { status: 'failing', failing, ...told } };
    return { status: 200, body: { status: 'degraded' in told ? 'degraded' : 'ok', ...told } };
  }
}

function ask(check: HealthCheck): ReturnType<HealthCheck> {
  try {
    return check();
  } catch {
    return 'the check itself failed';
  }
}
