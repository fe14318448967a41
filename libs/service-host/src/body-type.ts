import type { IncomingMessage } from 'node:http';

/** Hands on a body's text as it came. */
export function asItCame(_request: unknown, body: string, done: (error: null, body: string) => void): void {
  done(null, body);
}

/** The parser of a side door has its bound; the one of JSON in general has the admin doors'. */
export function readAs(mediaType: string, { headers }: IncomingMessage): void {
  if (/^application\/json *(?:;|$)/i.test(headers['content-type'] ?? '')) headers['content-type'] = mediaType;
}

/** Clients that name a type on every request send a DELETE of nothing too, and nothing is no valid JSON. */
export function forgetTypeOfNothing({ headers }: IncomingMessage): boolean {
  const isNothing = Number(headers['content-length'] ?? '0') === 0 && headers['transfer-encoding'] === undefined;
  if (isNothing) delete headers['content-type'];
  return isNothing;
}
