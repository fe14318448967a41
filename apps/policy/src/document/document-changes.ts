import { createHash } from 'node:crypto';
import type { PolicyDocument } from '@warder/contracts';

/** Names that came, went or differ. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** What the record of a change tells: names, not the whole document, which the version's row keeps. */
export interface DocumentChanges {
  readonly upstreams: NameChanges;
  readonly virtualServers: NameChanges;
  readonly grants: NameChanges;
  readonly isLimitChanged: boolean;
  /** SHA-256, hex, of the new document's JSON. */
  readonly sha256: string;
}

/** Compares two documents; everything is "added" where there was none before. */
export function documentChanges(before: PolicyDocument | undefined, after: PolicyDocument): DocumentChanges {
  return {
    upstreams: compare(before?.upstreams ?? {}, after.upstreams),
    virtualServers: compare(before?.virtualServers ?? {}, after.virtualServers),
    grants: compare(byName(before?.grants ?? []), byName(after.grants)),
    isLimitChanged: JSON.stringify(before?.limit) !== JSON.stringify(after.limit),
    sha256: createHash('sha256').update(JSON.stringify(after)).digest('hex'),
  };
}

function byName(grants: PolicyDocument['grants']): Record<string, unknown> {
  return Object.fromEntries(grants.map((grant) => [grant.name, grant]));
}

function compare(before: Record<string, unknown>, after: Record<string, unknown>): NameChanges {
  const isIn = (names: object, name: string) => Object.hasOwn(names, name);
  return {
    added: Object.keys(after).filter((name) => !isIn(before, name)),
    removed: Object.keys(before).filter((name) => !isIn(after, name)),
    changed: Object.keys(after).filter(
      (name) => isIn(before, name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
    ),
  };
}
