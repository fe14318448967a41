/** One entry of a node's own stdio.yaml. It never comes from a request or a topic. */
export interface StdioEntry {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to PATH, HOME, TMPDIR, LANG; nothing else of the gateway's environment reaches the child. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

// What a program needs to start; secrets of the gateway stand in its environment too and stay here.
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** The whole environment of a child. */
export function childEnvironment(
  entry: StdioEntry,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = own[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...entry.env };
}
