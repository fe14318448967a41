import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { PrincipalState, Role } from '@warder/contracts';
import type { Credential } from '@warder/tokens';

/** Who asks at an admin door. */
export interface AdminActor {
  readonly principal: PrincipalState;
  readonly token: Credential;
  /** Client address as the door judged it. */
  readonly address: string;
}

const ROLES = 'warder:roles';
const SIDE_DOOR = 'warder:side-door';
const ACTOR = Symbol('admin actor');

/** Lets in who has one of the roles; a method's own list replaces its class's. Without either nobody is let in. */
export const Roles = (...roles: readonly Role[]): MethodDecorator & ClassDecorator => SetMetadata(ROLES, roles);

/**
 * Lets in whom the side door of that prefix admitted, and nobody else: no token of the admin doors falls through to it,
 * and what it admits is let in nowhere else.
 */
export const BehindSideDoor = (prefix: string): ClassDecorator => SetMetadata(SIDE_DOOR, prefix);

/** The parameter is the `AdminActor` whom the guard let in. */
export const AdminCaller = createParamDecorator((_: unknown, context: ExecutionContext): AdminActor => {
  const actor = context.switchToHttp().getRequest<{ [ACTOR]?: AdminActor }>()[ACTOR];
  if (actor === undefined) throw new Error('a controller asks for its caller but stands behind no admin guard');
  return actor;
});

/** Roles that the handler of the context names. */
export function rolesOf(context: ExecutionContext): readonly Role[] {
  const named = (target: object): readonly Role[] | undefined =>
    Reflect.getMetadata(ROLES, target) as readonly Role[] | undefined;
  return named(context.getHandler()) ?? named(context.getClass()) ?? [];
}

/** The side door that the controller of the context stands behind. */
export function sideDoorNamed(context: ExecutionContext): string | undefined {
  return Reflect.getMetadata(SIDE_DOOR, context.getClass()) as string | undefined;
}

/** Remembers with the request whom the guard let in. */
export function setActor(request: object, actor: AdminActor): void {
  (request as { [ACTOR]?: AdminActor })[ACTOR] = actor;
}
