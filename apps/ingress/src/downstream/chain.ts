/** Something that can stand in one chain at a time. */
export interface Linked {
  before: Linked | undefined;
  after: Linked | undefined;
}

/**
 * Things that come and go by the thousand, oldest first. A Set would do, but each time a Set with churn makes itself a
 * new table the old one points to it, and once one of these is old they keep each other, and every call that stood in
 * them, alive until the next major collection: measured, that was half of all calls and a tenth of the CPU.
 */
export class Chain<T extends Linked> {
  private first: T | undefined;
  private last: T | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds at the end; `item` must stand in no chain. */
  add(item: T): void {
    item.before = this.last;
    if (this.last) this.last.after = item;
    else this.first = item;
    this.last = item;
    this.count += 1;
  }

  /** Takes out; nothing happens if it is not in. */
  remove(item: T): void {
    const { before, after } = item;
    if (before === undefined && this.first !== item) return;
    if (before) before.after = after;
    else this.first = after as T | undefined;
    if (after) after.before = before;
    else this.last = before as T | undefined;
    // What was taken out must point at nothing, or it would keep its neighbours alive.
    item.before = item.after = undefined;
    this.count -= 1;
  }

  /**
   * What is in it now, oldest first; what is added meanwhile is not seen. Looked at before the first is given out: a
   * revocation that followed the links would end at the first one that its own work takes out.
   */
  *[Symbol.iterator](): Generator<T> {
    const items: T[] = [];
    for (let item = this.first; item; item = item.after as T | undefined) items.push(item);
    yield* items;
  }
}
