import type { HealthCheck } from './service.js';

export interface HealthAnswer {
  status: 200 | 503;
  body: { status: 'ok' | 'failing'; failing?: Record<string, string> };
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
    for (const [name, check] of this.checks) {
      const said = ask(check);
      if (said !== true) failing[name] = said === false ? 'not ready' : said;
    }
    if (Object.keys(failing).length === 0) return { status: 200, body: { status: 'ok' } };
    return { status: 503, body: { status: 'failing', failing } };
  }
}

function ask(check: HealthCheck): boolean | string {
  try {
    return check();
  } catch {
    return 'the check itself failed';
  }
}
