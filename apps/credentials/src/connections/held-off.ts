/** Milliseconds for which what one connection's provider did not take is not sent again. */
const HELD_OFF_MS = 30_000;
/** Connections that are remembered; past it the one of the longest ago is tried again early. */
const CONNECTIONS_MAX = 10_000;

/**
 * Connections that are left alone for a moment, because what was refused is theirs alone: whoever calls on and on must not
 * have their provider asked as often, which would make it refuse everybody.
 */
export class HeldOff {
  private readonly until = new Map<string, { readonly generation: number; readonly ms: number }>();

  /** @param generation - the tokens of which were wanted anew; of another one it is another matter */
  add(id: string, generation: number, nowMs: number): void {
    this.until.delete(id);
    if (this.until.size >= CONNECTIONS_MAX) this.until.delete(this.until.keys().next().value!);
    this.until.set(id, { generation, ms: nowMs + HELD_OFF_MS });
  }

  has(id: string, generation: number, nowMs: number): boolean {
    const held = this.until.get(id);
    return held?.generation === generation && nowMs < held.ms;
  }
}
