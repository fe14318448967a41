/** The middle value; the mean of the two middle ones for an even count. @throws RangeError for none */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear interpolation between the closest ranks. @param share - 0..1 @throws RangeError for no values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError('no values');
  return below + (above - below) * (at - Math.floor(at));
}

/** Ratios of each measurement to the reference of the same round, and their median: noise that both shared cancels. */
export function pairedRatio(values: readonly number[], references: readonly number[]): number {
  if (values.length !== references.length) throw new RangeError('a pair lacks its half');
  return median(values.map((value, index) => value / (references[index] ?? Number.NaN)));
}
