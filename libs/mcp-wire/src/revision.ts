import { type Era, LEGACY_LATEST, type ServerInfo } from './era.js';
import { revision20250618 } from './revision-2025-06-18/revision.js';
import { revision20251125 } from './revision-2025-11-25/revision.js';
import type { UrlRequest, UrlRequestAnswer } from './url-request.js';
import { revision20260728 } from './revision-2026-07-28/revision.js';

/** What a gateway says of itself in `initialize` and `server/discover`. */
export interface ServerFace {
  readonly server: ServerInfo;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly instructions?: string;
}

/** What a tools/list answer holds. */
export interface ToolsPage {
  readonly tools: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** One revision of the protocol as agents see it. All encoders give the JSON text of a *result*. */
export interface Revision {
  readonly protocolVersion: string;
  readonly era: Era;
  /** Requests that exist in this revision and that this gateway answers. */
  readonly methods: ReadonlySet<string>;
  /** The answer to `initialize` (legacy) or `server/discover` (modern). */
  encodeGreeting(face: ServerFace): string;
  encodeToolsPage(page: ToolsPage, server: ServerInfo): string;
  /** A result of tools/call, as the inspected value has it. */
  encodeResult(result: Readonly<Record<string, unknown>>, server: ServerInfo): string;
  /** The answer that has the client's person open a page; absent where the revision knows no such thing. */
  askToOpen?(asked: UrlRequest, server: ServerInfo): UrlRequestAnswer;
  /** HTTP status of an answer whose method does not exist. */
  readonly unknownMethodStatus: number;
}

const revisions = new Map<string, Revision>(
  [revision20250618, revision20251125, revision20260728].map((revision) => [revision.protocolVersion, revision]),
);

/** Legacy revisions that agents may speak. */
export const LEGACY_VERSIONS: ReadonlySet<string> = new Set(
  [...revisions.values()].filter((revision) => revision.era === 'legacy').map((revision) => revision.protocolVersion),
);

/** The codec of a revision; undefined for one that this gateway does not speak. */
export function revisionOf(protocolVersion: string | undefined): Revision | undefined {
  return protocolVersion === undefined ? undefined : revisions.get(protocolVersion);
}

/** The revision that answers an `initialize`: the client's if it is known and legacy, else the latest legacy one. */
export function negotiateLegacy(requested: string): Revision {
  const revision = revisions.get(requested);
  return revision?.era === 'legacy' ? revision : revisions.get(LEGACY_LATEST)!;
}
