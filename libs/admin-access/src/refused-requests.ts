import type { PrincipalState, TokenState } from '@warder/contracts';

/** Milliseconds for which requests that are refused alike are counted together. */
export const REFUSAL_WINDOW_MS = 10_000;
/** Records that a window may leave; what is refused past them is counted by code alone. */
const RECORDS_PER_WINDOW_MAX = 100;
/** Where an address stands when a window had too many of them. */
const MANY_ADDRESSES = 'many';

/** A refused request as its record tells it; `count` says how many alike there were. */
export interface RefusedRequest {
  readonly kind: 'admin' | 'authentication';
  readonly action: 'request.refuse';
  readonly by: {
    readonly principal: PrincipalState | null;
    readonly token: TokenState | null;
    readonly address: string;
  };
  /** What was asked: the route as the router knows it, for whoever is refused may write any path. */
  readonly arguments: { readonly method: string; readonly route: string | null };
  readonly refusal: { readonly code: string; readonly detail: string; readonly isForbidden: boolean };
  readonly count: number;
}

/** Puts one record into the log of a service, and resolves once it is committed. */
export type KeepRefused = (refused: RefusedRequest) => Promise<void>;

/**
 * Requests that an admin door refused: counted, and written as one record per kind, caller and window, so that a
 * stranger costs no statement of the database and a flood of them no room in it.
 */
export class RefusedRequests {
  private counted = new Map<string, RefusedRequest>();
  private keep: KeepRefused | undefined;

  /** Where records go; of the services that share a process the first one keeps them. */
  writeTo(keep: KeepRefused): void {
    this.keep ??= keep;
  }

  note(refused: Omit<RefusedRequest, 'count' | 'action'>): void {
    this.add({ ...refused, action: 'request.refuse', count: 1 });
  }

  /**
   * Ends the window. What cannot be written now is counted on with the next one.
   * @returns how many requests are still to be recorded
   */
  async flush(): Promise<number> {
    const ended = [...this.counted.values()];
    this.counted = new Map();
    let left = 0;
    for (const refused of ended) {
      const isKept =
        this.keep !== undefined &&
        (await this.keep(refused).then(
          () => true,
          () => false,
        ));
      if (isKept) continue;
      left += refused.count;
      this.add(refused);
    }
    return left;
  }

  private add(refused: RefusedRequest): void {
    const { by, refusal, arguments: asked } = refused;
    const key = JSON.stringify([refusal.code, by.principal?.id, by.token?.id, by.address, asked.method, asked.route]);
    const known = this.counted.get(key);
    if (known !== undefined) this.counted.set(key, { ...known, count: known.count + refused.count });
    else if (this.counted.size < RECORDS_PER_WINDOW_MAX || by.address === MANY_ADDRESSES)
      this.counted.set(key, refused);
    else this.add(unnamed(refused));
  }
}

/** The same without what tells it from others of its code. */
function unnamed(refused: RefusedRequest): RefusedRequest {
  const detail = 'from more callers than a window records one by one';
  return {
    ...refused,
    by: { principal: null, token: null, address: MANY_ADDRESSES },
    arguments: { method: '', route: null },
    refusal: { ...refused.refusal, detail },
  };
}
