import type { GuardedFetch } from '@warder/egress';
import type { JWKS } from 'oidc-provider';

/** Milliseconds for which a set is had once: whatever assertions are presented cost whoever publishes the keys no more. */
const KEPT_MS = 30_000;
const SETS_MAX = 1_000;
const NONE = JSON.stringify({ keys: [] });

interface Held {
  readonly text: Promise<string>;
  readonly untilMs: number;
}

/**
 * Keys that clients publish under an address, for a short while. What the answer said of how long it may be kept is left
 * out: a key that was taken away is not to be good for as long as its publisher once said.
 */
export class KeySets {
  private readonly held = new Map<string, Held>();

  constructor(private readonly monotonicMs: () => number) {}

  /** The set that is published there; an empty one, by which nobody proves anything, where none can be had. */
  async of(url: string, fetchGuarded: GuardedFetch): Promise<JWKS> {
    return JSON.parse(await (this.current(url) ?? this.keep(url, had(url, fetchGuarded)))) as JWKS;
  }

  /** The set that was had from there just now, as its publisher would answer. */
  async get(url: string): Promise<Response | undefined> {
    const text = this.current(url);
    return text === undefined ? undefined : answerOf(await text);
  }

  /** Keeps a set, in place of the one before. */
  answer(url: string, text: string): Response {
    void this.keep(url, Promise.resolve(text));
    return answerOf(text);
  }

  private current(url: string): Promise<string> | undefined {
    const found = this.held.get(url);
    return found !== undefined && found.untilMs > this.monotonicMs() ? found.text : undefined;
  }

  private keep(url: string, text: Promise<string>): Promise<string> {
    this.held.delete(url);
    if (this.held.size >= SETS_MAX) this.held.delete(this.held.keys().next().value!);
    this.held.set(url, { text, untilMs: this.monotonicMs() + KEPT_MS });
    return text;
  }
}

async function had(url: string, fetchGuarded: GuardedFetch): Promise<string> {
  try {
    const response = await fetchGuarded(url, { headers: { accept: 'application/json' } });
    const text = await response.text();
    return response.status === 200 && isKeySet(JSON.parse(text)) ? text : NONE;
  } catch {
    // Whoever has no keys is refused, and that is on record.
    return NONE;
  }
}

/** Whether it is a set of keys (RFC 7517 section 5) and not the document of a client. */
export function isKeySet(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { keys, client_id: clientId } = value as { keys?: unknown; client_id?: unknown };
  return Array.isArray(keys) && clientId === undefined;
}

function answerOf(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } });
}
