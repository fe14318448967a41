/** The row after a change: what the change names, everything else as it was, and the next version. */
export function nextVersion<Row extends { version: number }>(row: Row, change: Partial<Row>): Row {
  return Object.assign({}, row, change, { version: row.version + 1 });
}
