import type { Bus, Subscription } from '@warder/bus';
import {
  type ApprovalAnswered,
  approvalAnsweredTopic,
  type ApprovalRequested,
  approvalRequestedTopic,
  type ApprovalTerms,
} from '@warder/contracts';
import type { Credentialed } from '../pipeline/call.js';
import type { ApprovalFound, Approvals, Guardrails } from '../pipeline/gateway.js';
import { untilGivenUp } from '../leases/until-given-up.js';
import { boundOf, shownArguments } from './call-binding.js';

/** Of the time that a call waits: the rest is for the way back and for clocks that differ. */
const ANSWERED_WITHIN = 0.75;

export interface NodeApprovalsParts {
  readonly bus: Pick<Bus, 'publish' | 'watch'>;
  readonly node: string;
  readonly guardrails: () => Guardrails;
  /** Where people decide about one. */
  readonly pageUrl: (approvalId: string) => string;
  readonly bounds: { readonly waitMs: number; readonly waitingMax: number };
  readonly wallMs: () => number;
  /** Told how each held call was answered. */
  readonly onFound: (status: ApprovalFound['status']) => void;
}

/**
 * Held calls of this node, each of which asks the owner of approvals once and waits for so long and no longer. Without
 * its answer to exactly this call nothing is approved.
 */
export class NodeApprovals implements Approvals {
  private readonly waiting = new Map<string, (answered: ApprovalAnswered) => void>();
  private subscription: Subscription | undefined;

  constructor(private readonly parts: NodeApprovalsParts) {}

  /** Begins to listen; resolves when the bus does, or is given up on for now. */
  async start(): Promise<void> {
    const { bus, node } = this.parts;
    this.subscription = await bus.watch(approvalAnsweredTopic, 'end', ({ value }) => {
      if (value.node === node) this.waiting.get(value.requestId)?.(value);
    });
  }

  async stop(): Promise<void> {
    await this.subscription?.stop();
  }

  async redeem(call: Credentialed, terms: ApprovalTerms): Promise<ApprovalFound> {
    const found = await this.ask(call, terms);
    this.parts.onFound(found.status);
    return found;
  }

  private async ask(call: Credentialed, terms: ApprovalTerms): Promise<ApprovalFound> {
    const { node, bus, bounds, guardrails, wallMs } = this.parts;
    if (this.waiting.size >= bounds.waitingMax) return unavailable('too many held calls wait on this node');
    const { callId: requestId, holds, signal } = call;
    const atMs = wallMs();
    const request: ApprovalRequested = {
      requestId,
      node,
      atMs,
      answerByMs: atMs + bounds.waitMs * ANSWERED_WITHIN,
      ...boundOf(call),
      arguments: shownArguments(call, guardrails()),
      holds: holds.slice(0, 20),
      terms,
    };
    let answered: ApprovalAnswered | undefined;
    let failed: unknown;
    let timer: NodeJS.Timeout | undefined;
    const settled = new Promise<void>((resolve) => {
      this.waiting.set(requestId, (answer) => {
        answered = answer;
        resolve();
      });
      timer = setTimeout(resolve, bounds.waitMs);
      bus.publish(approvalRequestedTopic, request.binding, request).catch((error: unknown) => {
        failed = error;
        resolve();
      });
    });
    try {
      await untilGivenUp(settled, signal);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(requestId);
    }
    if (answered !== undefined) return this.foundOf(answered);
    return unavailable(failed === undefined ? `no answer within ${bounds.waitMs} ms` : 'the bus is away');
  }

  private foundOf({ status, approvalId, expiresAtMs, reason }: ApprovalAnswered): ApprovalFound {
    if (status === 'limit') return { status };
    if (approvalId === null) return unavailable('an answer without an approval');
    if (status === 'redeemed') return { status, id: approvalId };
    if (status === 'denied') return { status, id: approvalId, reason: reason ?? 'no reason was given' };
    return { status, id: approvalId, url: this.parts.pageUrl(approvalId), expiresAtMs: expiresAtMs ?? 0 };
  }
}

function unavailable(detail: string): ApprovalFound {
  return { status: 'unavailable', detail };
}
