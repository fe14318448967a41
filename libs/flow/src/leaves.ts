/** Strings of one value that are looked at. */
export const LEAVES_MAX = 20_000;
const DEPTH_MAX = 64;

/**
 * Every string of a value with the member that it stands under, keys too; a string that holds JSON is walked like what
 * it says, for tools answer with JSON in a text block.
 * @returns false where a bound left something out
 */
export function walkLeaves(value: unknown, visit: (text: string) => void): boolean {
  let left = LEAVES_MAX;
  let isWhole = true;
  const walk = (at: unknown, depth: number): void => {
    if (depth > DEPTH_MAX || left <= 0) {
      isWhole = false;
      return;
    }
    if (typeof at === 'string') {
      left -= 1;
      const inner = depth < 8 ? jsonOf(at) : undefined;
      if (inner === undefined) visit(at);
      else walk(inner, depth + 1);
    } else if (typeof at === 'number' || typeof at === 'bigint') {
      left -= 1;
      visit(String(at));
    } else if (Array.isArray(at)) for (const item of at) walk(item, depth + 1);
    else if (typeof at === 'object' && at !== null) {
      for (const [key, member] of Object.entries(at)) {
        if (key.length > 4) visit(key);
        walk(member, depth + 1);
      }
    }
  };
  walk(value, 0);
  return isWhole;
}

function jsonOf(text: string): unknown {
  const first = text.charCodeAt(0);
  if ((first !== 0x7b && first !== 0x5b) || text.length > 1_048_576) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // prose that begins with a bracket
  }
}
