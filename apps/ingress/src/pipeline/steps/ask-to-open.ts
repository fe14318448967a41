import { takesUrlRequests, type UrlRequest } from '@warder/mcp-wire';
import type { Received } from '../call.js';

/**
 * What asks the client's person to open a page, where the client can have that done; undefined where its words have to
 * do. Whoever comes back was asked, and is told in words from then on.
 */
export function askToOpen(call: Received, url: string, message: string): UrlRequest | undefined {
  if (call.revision.askToOpen === undefined || call.wasAskedToOpen) return undefined;
  return takesUrlRequests(call.clientCapabilities) ? { id: call.callId, url, message } : undefined;
}
