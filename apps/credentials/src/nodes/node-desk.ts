import type { NodeAnnounced } from '@warder/contracts';
import { isAnnouncementSigned } from '@warder/leases';
import type { NodeRegistry } from './node-registry.js';
import type { Admission } from './nodes.store.js';

/** Milliseconds that the clocks of a node and of this service may differ. */
export const CLOCK_SKEW_MAX_MS = 60_000;
/** Announcements that are worked on or wait; more are dropped, for a node repeats what was not answered. */
const PENDING_MAX = 100;

export interface NodeDeskParts {
  readonly registry: NodeRegistry;
  readonly admit: (announced: NodeAnnounced) => Promise<Admission>;
  /** Puts a refusal on record. */
  readonly refused: (node: string, reason: string) => void;
  readonly failed: (error: unknown) => void;
  readonly wallMs: () => number;
}

/** Takes the announcements of nodes, one after another. */
export class NodeDesk {
  private working: Promise<void> = Promise.resolve();
  private pending = 0;

  constructor(private readonly parts: NodeDeskParts) {}

  take(announced: NodeAnnounced): void {
    const { registry, refused, wallMs } = this.parts;
    const { node, identity, atMs } = announced;
    if (!isAnnouncementSigned(announced)) return refused(node, 'signature-wrong');
    if (Math.abs(wallMs() - atMs) > CLOCK_SKEW_MAX_MS) return refused(node, 'clock-skew');
    // A node repeats itself until it hears that it is known, and a message may come twice.
    if (registry.refusalOf(node, identity, wallMs()) === undefined) return;
    if (this.pending >= PENDING_MAX) return;
    this.pending += 1;
    this.working = this.working.then(() => this.admit(announced));
  }

  /** Resolves when what was taken is done. */
  async idle(): Promise<void> {
    await this.working;
  }

  private async admit(announced: NodeAnnounced): Promise<void> {
    try {
      const admission = await this.parts.admit(announced);
      if (typeof admission === 'object') this.parts.refused(announced.node, admission.refused);
    } catch (error) {
      this.parts.failed(error);
    } finally {
      this.pending -= 1;
    }
  }
}
