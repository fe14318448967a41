import type { PrincipalState } from '@warder/contracts';
import type { Credential } from '@warder/tokens';
import { keptDetail } from './refusal-detail.js';

/** Milliseconds for which requests that are refused alike are counted together. */
export const REFUSAL_WINDOW_MS = 10_000;
/** Records that a window may leave of callers who are known, and as many of those who are not; past them by code alone. */
const RECORDS_PER_WINDOW_MAX = 100;
/** Of these, how many may be of one caller (or address) until the rest of that caller's is counted by code. */
const RECORDS_PER_CALLER_MAX = 20;
/** Where an address stands when a window had too many of them. */
const MANY_ADDRESSES = 'many';

/** A refused request as its record tells it; `count` says how many alike there were. */
export interface RefusedRequest {
  readonly kind: 'admin' | 'authentication' | 'protocol';
  readonly action: 'request.refuse';
  readonly by: {
    readonly principal: PrincipalState | null;
    readonly token: Credential | null;
    readonly address: string;
  };
  /** What was asked: the route as the router knows it, for whoever is refused may write any path, secrets too. */
  readonly arguments: { readonly method: string; readonly route: string | null };
  readonly refusal: { readonly code: string; readonly detail: string; readonly isForbidden: boolean };
  readonly count: number;
}

/** Puts one record into the log of a service, and resolves once it is committed. */
export type KeepRefused = (refused: RefusedRequest) => Promise<void>;

/**
 * Requests that an admin door refused: counted, and written as one record per kind, caller and window, so that a
 * refusal costs no statement of the database and a flood of them no room in it. Callers who are not identified have a
 * budget of their own: what they do hides nothing that people did.
 */
export class RefusedRequests {
  private named = new Budget();
  private strangers = new Budget();
  private readonly keepers = new Map<string, KeepRefused>();

  /**
   * Where records go. Of the services that share a process each keeps those of its own routes, and the first one those
   * of no route.
   */
  writeTo(service: string, keep: KeepRefused): void {
    if (!this.keepers.has(service)) this.keepers.set(service, keep);
  }

  note(refused: Omit<RefusedRequest, 'count' | 'action'>): void {
    const refusal = { ...refused.refusal, detail: keptDetail(refused.refusal.detail) };
    this.add({ ...refused, refusal, action: 'request.refuse', count: 1 });
  }

  /**
   * Ends the window. What cannot be written now is counted on with the next one.
   * @returns how many requests are still to be recorded
   */
  async flush(): Promise<number> {
    const ended = [...this.named.all(), ...this.strangers.all()];
    this.named = new Budget();
    this.strangers = new Budget();
    let left = 0;
    for (const refused of ended) {
      const keep = this.keeperOf(refused);
      const isKept =
        keep !== undefined &&
        (await keep(refused).then(
          () => true,
          () => false,
        ));
      if (isKept) continue;
      left += refused.count;
      this.add(refused);
    }
    return left;
  }

  private keeperOf({ arguments: { route } }: RefusedRequest): KeepRefused | undefined {
    const service = serviceRouteOf(route)?.slice('/admin/'.length) ?? '';
    return this.keepers.get(service) ?? this.keepers.values().next().value;
  }

  private add(refused: RefusedRequest): void {
    (refused.kind === 'admin' ? this.named : this.strangers).add(refused);
  }
}

/** The refusals of one window, in a bounded number of entries: past it they are told apart by less and less. */
class Budget {
  private readonly counted = new Map<string, RefusedRequest>();
  private readonly entriesOf = new Map<string, number>();

  all(): readonly RefusedRequest[] {
    return [...this.counted.values()];
  }

  add(refused: RefusedRequest): void {
    const isCounted =
      this.count(refused, RECORDS_PER_CALLER_MAX) || this.count(ofCaller(refused), Number.POSITIVE_INFINITY);
    // The last has an entry for each code at most, of which there are as many as docs/errors.md has.
    if (!isCounted) this.put(unnamed(refused));
  }

  /** @returns false where there is no entry for the like of it, and no room for one */
  private count(refused: RefusedRequest, perCallerMax: number): boolean {
    const caller = callerOf(refused);
    const entries = this.entriesOf.get(caller) ?? 0;
    const hasRoom = this.counted.size < RECORDS_PER_WINDOW_MAX && entries < perCallerMax;
    if (!this.counted.has(keyOf(refused))) {
      if (!hasRoom) return false;
      this.entriesOf.set(caller, entries + 1);
    }
    this.put(refused);
    return true;
  }

  private put(refused: RefusedRequest): void {
    const key = keyOf(refused);
    const known = this.counted.get(key);
    this.counted.set(key, known === undefined ? refused : { ...known, count: known.count + refused.count });
  }
}

function keyOf({ by, refusal, arguments: asked }: RefusedRequest): string {
  const { principal, token, address } = by;
  return JSON.stringify([refusal.code, refusal.detail, principal?.id, token?.id, address, asked.method, asked.route]);
}

function callerOf({ by }: RefusedRequest): string {
  return by.principal?.id ?? by.address;
}

/** The part of a route that is of one service. */
function serviceRouteOf(route: string | null): string | null {
  return /^\/admin\/[^/]+/.exec(route ?? '')?.[0] ?? null;
}

/** The same without what exactly was asked. */
function ofCaller(refused: RefusedRequest): RefusedRequest {
  const detail = 'more kinds of requests than a window records one by one of a caller';
  const asked = { method: '', route: serviceRouteOf(refused.arguments.route) };
  return { ...refused, arguments: asked, refusal: { ...refused.refusal, detail } };
}

/** The same without who asked, either. */
function unnamed(refused: RefusedRequest): RefusedRequest {
  const detail = 'from more callers than a window records one by one';
  return {
    ...refused,
    by: { principal: null, token: null, address: MANY_ADDRESSES },
    arguments: { method: '', route: null },
    refusal: { ...refused.refusal, detail },
  };
}
