/** A client that other people wrote, as a story uses it. */
export interface RealClient {
  /** Names of all tools, sorted. */
  list(): Promise<string[]>;
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<ToolText>;
  close(): Promise<void>;
}

/** What a client handed to its user. */
export interface ToolText {
  /** Its text blocks, or the error's message. */
  readonly text: string;
  readonly isError: boolean;
  /** Everything, as JSON. */
  readonly whole: string;
}

/** Where a client is pointed at, and as whom. */
export interface ClientTarget {
  readonly endpoint: string;
  readonly token: string;
  /** A home of its own: nothing of the person who runs the tests is read or written. */
  readonly homeDir: string;
}

/** A client by the name that a test shows, in each of the ways in which it is used. */
export interface ClientKind {
  readonly name: string;
  readonly era: 'legacy' | 'modern';
  open(target: ClientTarget): Promise<RealClient>;
}

/** The text of a tool's result, however many blocks it has. */
export function toolTextOf(result: unknown): ToolText {
  const { content = [], isError } = result as { content?: { type: string; text?: string }[]; isError?: boolean };
  const text = content.map((block) => block.text ?? '').join('\n');
  return { text, isError: isError === true, whole: JSON.stringify(result) };
}

/** The environment of a client in a process of its own: nothing but the path and a home. */
export function ownEnvironment(homeDir: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: homeDir, NO_COLOR: '1' };
}
