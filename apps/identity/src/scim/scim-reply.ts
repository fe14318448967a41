import { names } from './scim-condition.js';

/** What is set of an answer beside its body. */
export interface ScimReply {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

interface Told {
  readonly meta: { readonly version: string; readonly location: string };
}

/** Says in the headers which version of the resource is answered, and where it stands. @see RFC 7644 section 3.14 */
export function tag(reply: ScimReply, resource: Record<string, unknown>): void {
  const { meta } = resource as unknown as Told;
  reply.header('etag', meta.version);
  reply.header('location', meta.location);
}

/** Whether whoever asks has this very version already: then the answer is 304, without it. */
export function isKnown(reply: ScimReply, resource: Record<string, unknown>, ifNoneMatch: string | undefined): boolean {
  tag(reply, resource);
  if (ifNoneMatch === undefined || !names(ifNoneMatch, (resource as unknown as Told).meta.version)) return false;
  reply.status(304);
  return true;
}
