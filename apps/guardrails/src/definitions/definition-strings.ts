const DEPTH_MAX = 16;

/** Every string of a definition: texts, names of properties, values of enumerations and defaults. */
export function* stringsOf(value: unknown, depth = 0): Generator<string> {
  if (typeof value === 'string') yield value;
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return;
  for (const [name, member] of Object.entries(value)) {
    if (!Array.isArray(value)) yield name;
    yield* stringsOf(member, depth + 1);
  }
}
