import type { NodeAnnounced } from '@warder/contracts';
import { isAnnouncementSigned } from '@warder/leases';
import type { NodeRegistry } from './node-registry.js';
import type { Admission } from './nodes.store.js';

/** Milliseconds that the clocks of a node and of this service may differ. */
export const CLOCK_SKEW_MAX_MS = 60_000;
/** Announcements of nodes that want to join, which are worked on or wait; more are dropped, for a node repeats itself. */
const JOINING_MAX = 100;
/** The same under one name. */
const JOINING_OF_NODE_MAX = 4;

export interface NodeDeskParts {
  readonly registry: NodeRegistry;
  readonly admit: (announced: NodeAnnounced) => Promise<Admission>;
  /** Puts a refusal on record. */
  readonly refused: (node: string, reason: string) => void;
  readonly failed: (error: unknown) => void;
  readonly wallMs: () => number;
}

/**
 * Takes the announcements of nodes, one after another. An enrolled node that changes its key has a place of its own, which
 * nobody else can take: only its own key signs for it. Whoever has no key yet shares what there is with others like it,
 * a few under each name.
 */
export class NodeDesk {
  private working: Promise<void> = Promise.resolve();
  /** Nodes whose next key waits. */
  private readonly changing = new Set<string>();
  /** How many announcements wait, by the name that they give. */
  private readonly joining = new Map<string, number>();
  private joiningCount = 0;

  constructor(private readonly parts: NodeDeskParts) {}

  take(announced: NodeAnnounced): void {
    const { registry, refused, wallMs } = this.parts;
    const { node, identity, predecessor, join, atMs } = announced;
    const nowMs = wallMs();
    if (!isAnnouncementSigned(announced)) return refused(node, 'signature-wrong');
    if (Math.abs(nowMs - atMs) > CLOCK_SKEW_MAX_MS) return refused(node, 'clock-skew');
    // A node repeats itself until it hears that it is known, and a message may come twice.
    if (registry.refusalOf(node, identity, nowMs) === undefined) return;
    const isChange = join === null && predecessor !== null;
    if (isChange && registry.refusalOf(node, predecessor.identity, nowMs) === undefined) return this.change(announced);
    this.join(announced);
  }

  /** Resolves when what was taken is done. */
  async idle(): Promise<void> {
    await this.working;
  }

  private change(announced: NodeAnnounced): void {
    const { node } = announced;
    if (this.changing.has(node)) return;
    this.changing.add(node);
    this.admit(announced, () => this.changing.delete(node));
  }

  private join(announced: NodeAnnounced): void {
    const { node } = announced;
    const ofNode = this.joining.get(node) ?? 0;
    if (ofNode >= JOINING_OF_NODE_MAX || this.joiningCount >= JOINING_MAX) return;
    this.joining.set(node, ofNode + 1);
    this.joiningCount += 1;
    this.admit(announced, () => {
      const left = this.joining.get(node)! - 1;
      if (left === 0) this.joining.delete(node);
      else this.joining.set(node, left);
      this.joiningCount -= 1;
    });
  }

  private admit(announced: NodeAnnounced, done: () => void): void {
    const work = async (): Promise<void> => {
      try {
        const admission = await this.parts.admit(announced);
        if (typeof admission === 'object') this.parts.refused(announced.node, admission.refused);
      } catch (error) {
        this.parts.failed(error);
      } finally {
        done();
      }
    };
    this.working = this.working.then(work);
  }
}
