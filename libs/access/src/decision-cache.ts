import type { CompiledPolicy } from './compile-policy.js';
import { evaluate, type AccessAction, type Decision } from './evaluate.js';
import { subjectOf, type Caller } from './subject.js';

/** Bounds of a cache: callers remembered, and decisions per caller and action. */
export interface DecisionCacheBounds {
  readonly callersMax: number;
  readonly decisionsPerCallerMax: number;
}

const DEFAULT_BOUNDS: DecisionCacheBounds = { callersMax: 20_000, decisionsPerCallerMax: 5_000 };

/** Of tools that only read, and of the others: a new definition may say other than the one before it. */
interface Decisions {
  readonly readOnly: Map<string, Decision>;
  readonly others: Map<string, Decision>;
}

interface KnownCaller {
  readonly caller: Caller;
  readonly calls: Decisions;
  readonly lists: Decisions;
}

/**
 * Remembers the decisions of one compiled policy, per token and resource. A new version of the principal or of the
 * token forgets that caller; a new policy needs a new cache. The answer is always what `evaluate` says.
 */
export class DecisionCache {
  private readonly callers = new Map<string, KnownCaller>();

  constructor(
    private readonly policy: CompiledPolicy,
    private readonly bounds: DecisionCacheBounds = DEFAULT_BOUNDS,
  ) {}

  /** Decides as `evaluate` does; after the first time two map look-ups and no allocation. */
  decide(caller: Caller, action: AccessAction, resource: string, isReadOnly: boolean): Decision {
    // Without a token there is no key that could not be mistaken for another's.
    if (!caller.token) return evaluate({ subject: subjectOf(caller), action, resource, isReadOnly }, this.policy);
    const known = this.known(caller, caller.token.id);
    const { readOnly, others } = action === 'tools/call' ? known.calls : known.lists;
    const decisions = isReadOnly ? readOnly : others;
    const remembered = decisions.get(resource);
    if (remembered) return remembered;
    const decision = evaluate({ subject: subjectOf(caller), action, resource, isReadOnly }, this.policy);
    if (decisions.size >= this.bounds.decisionsPerCallerMax) decisions.clear();
    decisions.set(resource, decision);
    return decision;
  }

  private known(caller: Caller, tokenId: string): KnownCaller {
    const known = this.callers.get(tokenId);
    if (known && isSameCaller(known.caller, caller)) return known;
    // The oldest goes first; a busy caller that is dropped is decided again, once.
    if (!known && this.callers.size >= this.bounds.callersMax) {
      const oldest = this.callers.keys().next();
      if (!oldest.done) this.callers.delete(oldest.value);
    }
    const fresh: KnownCaller = { caller, calls: noDecisions(), lists: noDecisions() };
    this.callers.set(tokenId, fresh);
    return fresh;
  }
}

function noDecisions(): Decisions {
  return { readOnly: new Map(), others: new Map() };
}

function isSameCaller(left: Caller, right: Caller): boolean {
  return (
    left.principal.id === right.principal.id &&
    left.principal.version === right.principal.version &&
    left.token?.version === right.token?.version
  );
}
