import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AdminError } from './admin-error.js';

/**
 * The name of a header that a request may have once and has twice; undefined where there is none. Of two readers of such
 * a request each may believe another one (RFC 9110 section 5.3, RFC 9112 section 3.2).
 */
export function repeatedHeader({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): string | undefined {
  let [hosts, authorizations] = [0, 0];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    // By length first: it is asked on every call.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    else if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations += 1;
  }
  return hosts > 1 ? 'Host' : authorizations > 1 ? 'Authorization' : undefined;
}

/**
 * Whether a request may have been meant for us: it names our public host, an address, or a name without a dot. What is
 * left are names that somebody else can have lead to our address (DNS rebinding).
 * @param host - the header, with its port
 */
export function namesUs(host: string | undefined, publicUrl: URL): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  if (hostname === publicUrl.hostname || hostname.startsWith('[') || isIP(hostname) !== 0) return true;
  return !hostname.replace(/\.$/, '').includes('.');
}

/**
 * Refuses what no controller is to see, whoever sent it.
 * @throws AdminError 400 WDR_HEADER_REPEATED, 403 WDR_HOST_UNKNOWN
 */
export function checkHead(request: IncomingMessage, publicUrl: URL): void {
  const repeated = repeatedHeader(request);
  if (repeated !== undefined) throw new AdminError(400, 'WDR_HEADER_REPEATED', `${repeated} stands there twice`);
  if (!namesUs(request.headers.host, publicUrl))
    throw new AdminError(403, 'WDR_HOST_UNKNOWN', 'this host is not served here');
}
