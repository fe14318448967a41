/**
 * Slope of the straight line that fits the points best (least squares), in units of y per unit of x.
 * @throws RangeError for fewer than two points, or where all have one x
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const meanOf = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [meanOf(0), meanOf(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (points.length < 2 || spread === 0) throw new RangeError('no line fits');
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
