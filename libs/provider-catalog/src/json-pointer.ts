/** The value at a JSON Pointer (RFC 6901), or `undefined` where nothing of the document's own stands there. */
export function atPointer(document: unknown, pointer: string): unknown {
  let value = document;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The text at a pointer; numbers become text, for account ids are either. Empty text is none. */
export function textAt(document: unknown, pointer: string | undefined): string | undefined {
  const value = pointer === undefined ? undefined : atPointer(document, pointer);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A body as JSON, or `undefined` for one that is none. */
export function documentOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
