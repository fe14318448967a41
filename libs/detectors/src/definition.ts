const DEPTH_MAX = 12;
const CHARS_MAX = 65_536;

/** Whether a value is a tool's definition: a name and the schema of its arguments. */
export function isDefinition(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'inputSchema' in value && 'name' in value;
}

/** Every string of a definition, names of properties included, in its order: what a model reads as one text. */
export function definitionText(definition: object): string {
  const parts: string[] = [];
  let chars = 0;
  const add = (text: string): void => {
    if (chars > CHARS_MAX) return;
    chars += text.length;
    parts.push(text);
  };
  const walk = (value: unknown, depth: number): void => {
    if (typeof value === 'string') return add(value);
    if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return;
    for (const [name, member] of Object.entries(value)) {
      if (!Array.isArray(value)) add(name);
      walk(member, depth + 1);
    }
  };
  walk(definition, 0);
  return parts.join('\n');
}
