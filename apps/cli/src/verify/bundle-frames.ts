/** What the lines around bundles say of how whole they are. */
export class BundleFrames {
  private begun = 0;
  private ended = 0;
  /** Records and checkpoints that the ends tell of. */
  private readonly told = { records: 0, checkpoints: 0 };
  private readonly broken: string[] = [];
  /** Records of logs that bundles had to leave out. */
  private readonly unnamed = new Map<string, number>();

  /** Takes the line that has the member `bundle`. @returns false where it is none that a bundle has */
  take(line: Record<string, unknown>): boolean {
    if (line.bundle === 'begin') {
      this.begun += 1;
      return true;
    }
    if (line.bundle === 'broken') {
      this.ended += 1;
      this.broken.push(whyOf(line));
      return true;
    }
    const { records, checkpoints } = line;
    if (line.bundle !== 'end' || typeof records !== 'number' || typeof checkpoints !== 'number') return false;
    this.ended += 1;
    this.told.records += records;
    this.told.checkpoints += checkpoints;
    this.takeUnnamed(line.unnamed);
    return true;
  }

  /** Why the bundles among the lines are not whole, a sentence each; none of an export that is no bundle. */
  faults(held: { readonly records: number; readonly checkpoints: number }): string[] {
    const faults = this.broken.map((why) => `a bundle broke off: ${why}`);
    if (this.begun > this.ended)
      faults.push(`${this.begun - this.ended} of ${this.begun} bundles have no end: the rest was cut off`);
    if (this.ended > this.begun)
      faults.push(`${this.ended - this.begun} of ${this.ended} bundles have no beginning: a file is missing`);
    for (const what of ['records', 'checkpoints'] as const) {
      if (held[what] < this.told[what])
        faults.push(`bundles ended with ${this.told[what]} ${what}, and only ${held[what]} are here`);
    }
    for (const [log, records] of this.unnamed)
      faults.push(`${records} records of ${log} are left out: no checkpoint names them`);
    return faults;
  }

  private takeUnnamed(unnamed: unknown): void {
    // A bundle of an older version does not tell.
    for (const one of Array.isArray(unnamed) ? (unnamed as { log?: unknown; records?: unknown }[]) : [])
      if (typeof one?.log === 'string' && typeof one.records === 'number')
        this.unnamed.set(one.log, (this.unnamed.get(one.log) ?? 0) + one.records);
  }
}

function whyOf({ code, message, log, from, to }: Record<string, unknown>): string {
  const place = typeof log === 'string' ? ` at the records ${String(from)} to ${Number(to) - 1} of ${log}` : '';
  return `${String(code)}${place} (${String(message)})`;
}
