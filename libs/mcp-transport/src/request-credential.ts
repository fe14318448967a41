import type { UpstreamCredential } from '@warder/contracts';
import { signedHeaders } from '@warder/egress';

/** A request as it is about to leave. */
export interface Leaving {
  readonly method: 'GET' | 'POST';
  readonly headers: readonly string[];
  readonly ownHeaders: readonly string[];
  readonly body: string;
}

/** How a credential goes with the requests of a session. */
export interface RequestCredential {
  /** What one session belongs to: the same text is the same credential. */
  readonly key: string;
  /** Flat name-value list of what every request carries. */
  readonly list: readonly string[];
  /** Headers of one request alone, made over all that is sent; undefined where there are none. */
  readonly sign?: (leaving: Leaving) => readonly string[];
}

/** Where requests go, and what time it is. */
export interface SigningPlace {
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  readonly wallMs: () => number;
}

// What routes, frames or describes a request is ours to say; a credential that tries to say it is a mistake.
const RESERVED =
  /^(?:mcp-.*|host|content-.*|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|accept|accept-encoding)$/;
/** Of the hop, which a load balancer in between may say otherwise. */
const UNSIGNED = new Set(['accept-encoding']);

const NONE: RequestCredential = { key: '', list: [] };

/** Credentials in the form in which requests carry them; the one that was used last is at hand. */
export class RequestCredentials {
  private last: UpstreamCredential | undefined;
  private made = NONE;

  constructor(private readonly place: SigningPlace) {}

  /** A session belongs to one credential: what one of them may see must not answer another. */
  of(credential: UpstreamCredential | undefined): RequestCredential {
    if (credential !== this.last) {
      this.last = credential;
      this.made = requestCredentialOf(credential, this.place);
    }
    return this.made;
  }

  forget(): void {
    this.last = undefined;
    this.made = NONE;
  }
}

/** A client certificate is of the connection and not of its requests. */
function requestCredentialOf(credential: UpstreamCredential | undefined, place: SigningPlace): RequestCredential {
  if (credential === undefined || credential.kind === 'client-certificate') return NONE;
  if (credential.kind === 'headers') {
    const list = credentialList(credential.values);
    return { key: list.join('\n'), list };
  }
  const { region, service, ...keys } = credential;
  const { host, path, wallMs } = place;
  return {
    key: JSON.stringify(credential),
    list: [],
    sign: ({ method, headers, ownHeaders, body }) => {
      const sent = { ...named(headers), ...named(ownHeaders) };
      const signed = signedHeaders({ method, path, host, headers: sent, body, region, service }, keys, wallMs());
      return Object.entries(signed).flatMap(([name, value]) => (name in sent || name === 'host' ? [] : [name, value]));
    },
  };
}

/** What of a request's headers is its own, with the signature where the credential makes one. */
export function withSignature(sign: RequestCredential['sign'], leaving: Leaving): readonly string[] {
  return sign === undefined ? leaving.ownHeaders : [...leaving.ownHeaders, ...sign(leaving)];
}

/** A credential's headers as a flat list; names that would change the request itself are left out. */
function credentialList(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => (RESERVED.test(name.toLowerCase()) ? [] : [name, value]));
}

function named(list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = (list[i] as string).toLowerCase();
    if (!UNSIGNED.has(name)) headers[name] = list[i + 1] as string;
  }
  return headers;
}
