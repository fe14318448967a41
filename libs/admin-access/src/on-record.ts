const recorded = new WeakSet<object>();

/** Says that what is thrown is on record already, by someone who knows more of the request than its door. */
export function markOnRecord(thrown: unknown): void {
  if (typeof thrown === 'object' && thrown !== null) recorded.add(thrown);
}

/** Whether the door need not put it on record. */
export function isOnRecord(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && recorded.has(thrown);
}
