import { storeErrorOf } from '@warder/postgres';
import type { PrincipalDirectory } from '@warder/tokens';
import type { ConnectionsStore } from './connections.store.js';
import type { RestingStore } from './resting.store.js';

/** Milliseconds between two looks for people who left while nobody listened. */
const LOOK_EVERY_MS = 5_000;

export interface OffboardingParts {
  readonly directory: Pick<PrincipalDirectory, 'onRevoked' | 'principalById'>;
  readonly connections: Pick<ConnectionsStore, 'endOf' | 'owners'>;
  readonly resting: Pick<RestingStore, 'rest'>;
  /** Told that there are tokens to be ended at their provider. */
  readonly onEnded: () => void;
  readonly log: { warn(fields: object, message: string): void };
}

/**
 * Ends the connections of people who left for good: their tokens are gone from here at once, and then from the provider.
 * Those of people who are suspended rest: no call uses them, nothing refreshes them, and they go on when their owner is back.
 */
export class Offboarding {
  private timer: NodeJS.Timeout | undefined;
  private unlisten: (() => void) | undefined;

  constructor(private readonly parts: OffboardingParts) {}

  start(): void {
    this.unlisten = this.parts.directory.onRevoked((what) => {
      if (!('principalId' in what)) return;
      void this.endWhereGone([what.principalId]);
      if (this.parts.directory.principalById(what.principalId)?.status === 'suspended') void this.look();
    });
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    void this.look();
  }

  stop(): void {
    clearInterval(this.timer);
    this.unlisten?.();
  }

  /** People may have left while this process was down. */
  private async look(): Promise<void> {
    try {
      const owners = await this.parts.connections.owners();
      await this.endWhereGone(owners);
      const { directory, resting } = this.parts;
      await resting.rest(owners.filter((id) => directory.principalById(id)?.status === 'suspended'));
    } catch (error) {
      this.parts.log.warn({ err: storeErrorOf(error) }, 'owners of connections cannot be read');
    }
  }

  private async endWhereGone(ids: readonly string[]): Promise<void> {
    const { directory, connections, onEnded, log } = this.parts;
    for (const id of ids) {
      // Suspended is not gone: whoever comes back finds their connections, which no node uses until then.
      if (directory.principalById(id)?.status !== 'removed') continue;
      try {
        if ((await connections.endOf(id)).length > 0) onEnded();
      } catch (error) {
        log.warn({ err: storeErrorOf(error) }, 'connections of somebody who left are ended later');
      }
    }
  }
}
