import type { IncomingMessage } from 'node:http';
import type { ErrorAnswer } from './error-answer.js';

/**
 * A path of the process at which another protocol than that of the admin doors is spoken: its callers, its media type,
 * its bound and its form of a refusal are its own.
 */
export interface SideDoor {
  /** Of answers, and of bodies beside `application/json`; without parameters. */
  readonly mediaType: string;
  readonly bodyBytesMax: number;
  /** Hands on a body as the text that came, for a door whose callers sign it; parsed unless said otherwise. */
  readonly isBodyText?: boolean;
  /** Of answers, where it is another. */
  readonly answerType?: string;
  /** Judges a request before its body is read; throws an AdminError to have it refused. */
  admit(request: IncomingMessage): void;
  /** The body of a refusal in the form of the protocol, and headers that go with it. */
  refusal(answer: ErrorAnswer, error: unknown): { body: object; headers?: Readonly<Record<string, string>> };
}

const admitted = new WeakMap<IncomingMessage, string>();

/** The prefix of the side door that let the request in; undefined where none did. */
export function sideDoorOf(request: IncomingMessage): string | undefined {
  return admitted.get(request);
}

/** Side doors of a process, by the whole path segments that they begin with. */
export class SideDoors {
  private readonly doors = new Map<string, SideDoor>();

  open(prefix: string, door: SideDoor): void {
    if (!/^\/[a-z0-9/-]*[a-z0-9]$/.test(prefix)) throw new Error(`not a path prefix: ${prefix}`);
    this.doors.set(prefix, door);
  }

  get all(): readonly SideDoor[] {
    return [...this.doors.values()];
  }

  /** @param url - as it was sent: what is written in another way is not at the door, and nobody admitted it */
  at(url: string): SideDoor | undefined {
    return this.found(url)?.door;
  }

  /**
   * Has the request judged where it stands at a side door.
   * @returns whether it does
   * @throws AdminError of the door
   */
  admit(request: IncomingMessage): boolean {
    const found = this.found(request.url ?? '');
    if (found === undefined) return false;
    found.door.admit(request);
    admitted.set(request, found.prefix);
    return true;
  }

  private found(url: string): { prefix: string; door: SideDoor } | undefined {
    for (const [prefix, door] of this.doors) {
      if (url.startsWith(prefix) && /^(?:[/?]|$)/.test(url.slice(prefix.length))) return { prefix, door };
    }
    return undefined;
  }
}
