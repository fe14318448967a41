import type { StoreHealth } from './secret-store.js';

/** Remembers the last state of a store and tells of changes; starts at `ok`. */
export class StateWatch {
  private current: StoreHealth = { state: 'ok' };
  private readonly listeners = new Set<(health: StoreHealth) => void>();

  get health(): StoreHealth {
    return this.current;
  }

  /** @returns the same, so that a caller can answer it */
  seen(health: StoreHealth): StoreHealth {
    const isChange = health.state !== this.current.state;
    this.current = health;
    if (isChange) for (const listener of this.listeners) listener(health);
    return health;
  }

  onChange(listener: (health: StoreHealth) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
