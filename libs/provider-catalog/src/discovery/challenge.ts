/** What a 401 of an upstream says of how it is logged in to (RFC 9728 section 5.1, RFC 6750 section 3). */
export interface UpstreamChallenge {
  readonly resourceMetadata?: string;
  /** The scopes of this operation; they outrank what metadata name. */
  readonly scopes?: readonly string[];
}

const PARAMETER = /([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g;

/** The `Bearer` challenge of a `WWW-Authenticate` header; nothing where there is none. */
export function readChallenge(header: string | null | undefined): UpstreamChallenge {
  const at = /(?:^|[\s,])Bearer\s/i.exec(`${header ?? ''} `);
  if (at === null) return {};
  const found: Record<string, string> = {};
  for (const [, name = '', quoted, bare] of (header ?? '').slice(at.index).matchAll(PARAMETER))
    found[name.toLowerCase()] ??= (quoted ?? bare ?? '').replaceAll(/\\(.)/g, '$1');
  const { resource_metadata: resourceMetadata, scope } = found;
  return {
    ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
    ...(scope === undefined || scope.trim() === '' ? {} : { scopes: scope.trim().split(/\s+/) }),
  };
}
