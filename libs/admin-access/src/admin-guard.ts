import type { IncomingMessage } from 'node:http';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ADMIN_SCOPE, type PrincipalState } from '@warder/contracts';
import { Callers, type Credential, isClientGrant, isForAgents } from '@warder/tokens';
import { AdminError, type Host, type RequestRefused, sideDoorOf } from '@warder/service-host';
import type { AdminAccess } from './admin-access.js';
import { isOnRecord } from './on-record.js';
import { rolesOf, setActor, sideDoorNamed } from './roles.js';

interface AdminRequest {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly raw: IncomingMessage;
}

/** Whom a bearer is of. */
interface Caller {
  readonly principal: PrincipalState;
  readonly token: Credential;
}

/** What changes nothing (RFC 9110 section 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What may be sent by those who may do nothing but care for their own tokens. */
const MEMBER_BODY_BYTES_MAX = 65_536;
const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * The one way in to the controllers of a process: a bearer, and a role that the controller names. It judges every
 * handler and not paths, for a router decodes what a prefix check would not.
 */
export class AdminGuard implements CanActivate {
  /** Who was let in: a token that was revoked while its request ran is still whose request it was. */
  private readonly callers = new WeakMap<IncomingMessage, Caller>();

  constructor(
    private readonly access: AdminAccess,
    private readonly host: Pick<Host, 'adminRules' | 'clock' | 'door' | 'log' | 'metrics'>,
  ) {}

  /** @throws AdminError 401, 403 or 503 with its stable code */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AdminRequest>();
    const sideDoor = sideDoorNamed(context);
    if (sideDoor !== undefined) {
      if (sideDoorOf(request.raw) === sideDoor) return true;
      // The router decoded a path into one that the door did not see.
      throw new AdminError(404, 'WDR_PATH_UNKNOWN', 'no such path');
    }
    const found = this.callerOf(request.raw);
    const roles = rolesOf(context);
    // Such a token must not mint itself a wider one here.
    const isCut = isForAgents(found.token);
    if (isCut || !found.principal.roles.some((role) => roles.includes(role))) {
      const what = isCut ? 'a token that is cut to tools or servers has no roles' : `needs one of: ${roles.join(', ')}`;
      this.host.log.info({ principal: found.principal.id, agent: found.token.id, roles }, 'admin request refused');
      throw new AdminError(403, 'WDR_ROLE_MISSING', what);
    }
    this.ensureRecent(request.raw, found.token);
    setActor(request, { ...found, address: this.host.door.clientAddress(request.raw) });
    return true;
  }

  /**
   * Judges a body before it is read: a stranger's never is, and a long one only from those who have reason to send it.
   * @throws AdminError 401, 403 or 503
   */
  admitBody(request: IncomingMessage): void {
    const { principal, token } = this.callerOf(request);
    const bytes = Number(request.headers['content-length'] ?? Infinity);
    if (bytes <= MEMBER_BODY_BYTES_MAX) return;
    if (!isForAgents(token) && principal.roles.some((role) => role !== 'member')) return;
    throw new AdminError(403, 'WDR_ROLE_MISSING', `a body of more than ${MEMBER_BODY_BYTES_MAX} bytes needs a role`);
  }

  /**
   * Counts a request that was refused here or anywhere behind, and notes it for the record, with whoever asked: who is
   * refused before the guard, as for a path that does not exist, may be known all the same.
   */
  note({ request, route, answer, thrown }: RequestRefused): void {
    const { status, code, message } = answer;
    this.host.metrics.counter('warder_admin_refusals_total', 'Admin requests refused, by code', ['code']).inc({ code });
    if (isOnRecord(thrown)) return;
    const found =
      this.callers.get(request) ?? (this.isReadyFor(request.headers.authorization) ? this.find(request) : undefined);
    const isUnidentified = status === 401 || code === 'WDR_NOT_READY';
    this.access.refused.note({
      kind: found !== undefined ? 'admin' : isUnidentified ? 'authentication' : 'protocol',
      by: {
        principal: found?.principal ?? null,
        token: found?.token ?? null,
        address: this.host.door.clientAddress(request),
      },
      arguments: { method: request.method ?? '', route },
      refusal: {
        code,
        detail: thrown instanceof AdminError ? thrown.detail : message,
        isForbidden: status === 401 || status === 403,
      },
    });
  }

  /**
   * A change asks for somebody who has just said who they are. A personal token says nothing of that: whether it will do
   * is the operator's to say.
   * @throws AdminError 401 WDR_SIGN_IN_NOT_RECENT, with what is asked for (RFC 9470 section 3)
   */
  private ensureRecent({ method = '' }: IncomingMessage, token: Credential): void {
    if (SAFE_METHODS.has(method)) return;
    const { personalTokens, recentSignInMinutes } = this.host.adminRules;
    const sinceMs = this.host.clock.wallMs() - recentSignInMinutes * 60_000;
    const isRecent = isClientGrant(token) ? (token.authenticatedAtMs ?? 0) >= sinceMs : personalTokens === 'change';
    if (isRecent) return;
    const message = `a change asks for a sign-in of the last ${recentSignInMinutes} minutes`;
    const asked = `error="insufficient_user_authentication", error_description="${message}", max_age="${recentSignInMinutes * 60}"`;
    throw new AdminError(401, 'WDR_SIGN_IN_NOT_RECENT', message, message, this.challenge(asked));
  }

  /** Where tokens are had for the admin doors (RFC 9728 section 5.1). */
  private challenge(asked?: string): string {
    const { origin, pathname } = new URL(this.access.resource());
    const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource${pathname}"`;
    return `Bearer ${asked === undefined ? '' : `${asked}, `}${metadata}, scope="${ADMIN_SCOPE}"`;
  }

  private callerOf(request: IncomingMessage): Caller {
    const { authorization } = request.headers;
    if (!this.isReadyFor(authorization))
      throw new AdminError(503, 'WDR_NOT_READY', 'principals and tokens are not read yet');
    if (authorization === undefined) {
      throw new AdminError(401, 'WDR_TOKEN_MISSING', 'send Authorization: Bearer <token>', undefined, this.challenge());
    }
    const found = this.find(request);
    // One answer for malformed, unknown, expired and revoked: the caller learns nothing of what once was.
    if (found === undefined)
      throw new AdminError(
        401,
        'WDR_TOKEN_UNKNOWN',
        'the token is not accepted',
        undefined,
        this.challenge('error="invalid_token"'),
      );
    this.callers.set(request, found);
    if (!isClientGrant(found.token)) this.access.uses.note(found.token.id, this.host.clock.wallMs());
    return found;
  }

  private isReadyFor(authorization: string | undefined): boolean {
    const isSigned = Callers.isSigned(BEARER.exec(authorization ?? '')?.[1] ?? '');
    return isSigned ? this.access.isReadyForClients() : this.access.isReady();
  }

  private find(request: IncomingMessage): Caller | undefined {
    const { authorization } = request.headers;
    const bearer = typeof authorization === 'string' ? BEARER.exec(authorization)?.[1] : undefined;
    const address = this.host.door.clientAddress(request);
    const { callers } = this.access;
    const found = callers.examine(bearer ?? '', this.access.resource(), this.host.clock.wallMs(), address);
    return typeof found === 'string' ? undefined : found;
  }
}
