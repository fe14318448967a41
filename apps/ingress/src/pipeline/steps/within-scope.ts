import { coversVirtualServer, TOKEN_VIRTUAL_SERVER } from '@warder/access';
import type { AdmittedOperation } from '../call.js';
import { unknownServer } from '../unknown-server.js';

/**
 * A token is used at the virtual servers of its scopes and nowhere else. Asked before anything of the message or its
 * session is, so that another server costs and tells what one that is not there does.
 * @throws Refusal WDR_VIRTUAL_SERVER_UNKNOWN
 */
export function ensureWithinScope(call: AdmittedOperation): void {
  if (coversVirtualServer(call.token.scopes, call.virtualServer)) return;
  throw unknownServer(TOKEN_VIRTUAL_SERVER, TOKEN_VIRTUAL_SERVER);
}
