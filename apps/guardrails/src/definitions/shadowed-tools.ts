import { stringsOf } from './definition-strings.js';

/** A tool of an upstream, by the name that the upstream gives it. */
export interface NamedTool {
  readonly upstream: string;
  readonly tool: string;
}

/** How a definition reaches for a tool of another upstream. */
export interface Shadow extends NamedTool {
  /** `name`: it looks the same to a model; `mention`: its texts speak of it. */
  readonly by: 'name' | 'mention';
}

/** Names shorter than this, or of one word, are words of ordinary texts ("search", "list"). */
const MENTION_CHARS_MIN = 6;
const SHADOWS_MAX = 20;

/** What tools look like to a model, and which of them there are: made once for many definitions. */
export class ToolNames {
  private readonly byLook = new Map<string, NamedTool[]>();
  private readonly byWord = new Map<string, NamedTool[]>();

  constructor(tools: Iterable<NamedTool>) {
    for (const tool of tools) {
      append(this.byLook, lookOf(tool.tool), tool);
      if (isTelling(tool.tool)) append(this.byWord, tool.tool.toLowerCase(), tool);
    }
  }

  /**
   * Tools of other upstreams that a definition passes itself off as, or speaks of: a poisoned description that says what to
   * do before another server's tool is used changes what that tool does.
   * @param definition - as the upstream lists it
   */
  shadowedBy(upstream: string, definition: { readonly name: string }): readonly Shadow[] {
    const found = new Map<string, Shadow>();
    const note = (tools: readonly NamedTool[] | undefined, by: Shadow['by']): void => {
      for (const tool of tools ?? []) {
        const key = `${tool.upstream}/${tool.tool}`;
        if (tool.upstream !== upstream && !found.has(key) && found.size < SHADOWS_MAX) found.set(key, { ...tool, by });
      }
    };
    note(this.byLook.get(lookOf(definition.name)), 'name');
    const words = new Set<string>();
    for (const text of stringsOf({ ...definition, name: undefined }))
      for (const word of text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}_-]*/gu) ?? []) words.add(word);
    for (const word of words) note(this.byWord.get(word), 'mention');
    return [...found.values()];
  }
}

/** What a name looks like: case, separators and letters of other scripts or widths make no difference to a model. */
function lookOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}|[\p{Cf}\s_.-]/gu, '');
  return plain.toLowerCase().replace(/./gsu, (letter) => LOOK_ALIKES.get(letter) ?? letter);
}

/** Letters of Cyrillic and Greek that look like Latin ones, and digits that stand for letters. */
const LOOK_ALIKES = new Map(
  Object.entries({
    а: 'a',
    е: 'e',
    о: 'o',
    р: 'p',
    с: 'c',
    у: 'y',
    х: 'x',
    і: 'i',
    ѕ: 's',
    ј: 'j',
    ԁ: 'd',
    ɡ: 'g',
  }).concat(Object.entries({ ο: 'o', α: 'a', ε: 'e', ι: 'i', κ: 'k', ν: 'v', ρ: 'p', τ: 't', υ: 'u', 0: 'o', 1: 'l' })),
);

function isTelling(name: string): boolean {
  return name.length >= MENTION_CHARS_MIN && /[_-]|[a-z][A-Z]/.test(name);
}

function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
