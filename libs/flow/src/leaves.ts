/** Strings of one value that are looked at. */
export const LEAVES_MAX = 40_000;
const DEPTH_MAX = 64;
/** A string or a number of a JSON text. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/**
 * Every string of a value with the member that it stands under, keys too; of a string that holds JSON what is written
 * there, for tools answer with JSON in a text block, and a model reads all of its text: a member that is written twice,
 * and each digit of a number, which parsing loses.
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
      if (depth >= 8 || !isJson(at)) visit(at);
      else for (const [token] of at.matchAll(TOKEN)) walkToken(token, depth + 1);
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
  const walkToken = (token: string, depth: number): void => {
    if (left <= 0) isWhole = false;
    else if (token.startsWith('"')) walk(JSON.parse(token), depth);
    else {
      left -= 1;
      visit(token);
    }
  };
  walk(value, 0);
  return isWhole;
}

function isJson(text: string): boolean {
  const first = text.charCodeAt(0);
  if ((first !== 0x7b && first !== 0x5b) || text.length > 1_048_576) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // prose that begins with a bracket
  }
}
