import type { IncomingMessage } from 'node:http';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Identified } from '@warder/tokens';
import { AdminError, type Host } from '@warder/service-host';
import type { AdminAccess } from './admin-access.js';
import { rolesOf, setActor } from './roles.js';

interface AdminRequest {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly raw: IncomingMessage;
  readonly routeOptions?: { readonly url?: string };
}

/** What may be sent by those who may do nothing but care for their own tokens. */
const MEMBER_BODY_BYTES_MAX = 65_536;
const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * The one way in to the controllers of a process: a bearer, and a role that the controller names. It judges every
 * handler and not paths, for a router decodes what a prefix check would not.
 */
export class AdminGuard implements CanActivate {
  constructor(
    private readonly access: AdminAccess,
    private readonly host: Pick<Host, 'clock' | 'door' | 'log' | 'metrics'>,
  ) {}

  /** @throws AdminError 401, 403 or 503 with its stable code */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AdminRequest>();
    const route = request.routeOptions?.url ?? null;
    const found = this.callerOf(request.raw, route);
    const roles = rolesOf(context);
    // A token that was cut to some tools was made for an agent: it must not mint itself a wider one here.
    const isCut = found.token.scopes.tools !== null;
    if (isCut || !found.principal.roles.some((role) => roles.includes(role))) {
      const what = isCut ? 'a token that is cut to tools has no roles' : `needs one of: ${roles.join(', ')}`;
      this.host.log.info({ principal: found.principal.id, agent: found.token.id, roles }, 'admin request refused');
      throw this.refusal(403, 'WDR_ROLE_MISSING', what, request.raw, route, found);
    }
    setActor(request, { ...found, address: this.host.door.clientAddress(request.raw) });
    return true;
  }

  /**
   * Judges a body before it is read: a stranger's never is, and a long one only from those who have reason to send it.
   * @throws AdminError 401, 403 or 503
   */
  admitBody(request: IncomingMessage): void {
    const { principal, token } = this.callerOf(request, null);
    const bytes = Number(request.headers['content-length'] ?? Infinity);
    if (bytes <= MEMBER_BODY_BYTES_MAX) return;
    if (token.scopes.tools === null && principal.roles.some((role) => role !== 'member')) return;
    throw this.refusal(
      403,
      'WDR_ROLE_MISSING',
      `a body of more than ${MEMBER_BODY_BYTES_MAX} bytes needs a role`,
      request,
      null,
      {
        principal,
        token,
      },
    );
  }

  private callerOf(request: IncomingMessage, route: string | null): Identified {
    const refuse = (code: `WDR_${string}`, message: string, status = 401): AdminError =>
      this.refusal(status, code, message, request, route);
    if (!this.access.isReady()) throw refuse('WDR_NOT_READY', 'principals and tokens are not read yet', 503);
    const { authorization } = request.headers;
    if (authorization === undefined) throw refuse('WDR_TOKEN_MISSING', 'send Authorization: Bearer <token>');
    const bearer = typeof authorization === 'string' ? BEARER.exec(authorization)?.[1] : undefined;
    const found = this.access.directory.find(bearer ?? '', this.host.clock.wallMs());
    // One answer for malformed, unknown, expired and revoked: the caller learns nothing of what once was.
    if (found === undefined) throw refuse('WDR_TOKEN_UNKNOWN', 'the token is not accepted');
    return found;
  }

  /** Counts the refusal and notes it for the record. */
  private refusal(
    status: number,
    code: `WDR_${string}`,
    message: string,
    request: IncomingMessage,
    route: string | null,
    found?: Pick<Identified, 'principal' | 'token'>,
  ): AdminError {
    const address = this.host.door.clientAddress(request);
    this.access.refused.note({
      kind: found === undefined ? 'authentication' : 'admin',
      by: { principal: found?.principal ?? null, token: found?.token ?? null, address },
      arguments: { method: request.method ?? '', route },
      refusal: { code, detail: message, isForbidden: true },
    });
    this.host.metrics.counter('warder_admin_refusals_total', 'Admin requests refused, by code', ['code']).inc({ code });
    return new AdminError(status, code, message);
  }
}
