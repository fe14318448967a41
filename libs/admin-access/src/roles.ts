import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { PrincipalState, Role, TokenState } from '@warder/contracts';

/** Who asks at an admin door. */
export interface AdminActor {
  readonly principal: PrincipalState;
  readonly token: TokenState;
  /** Client address as the door judged it. */
  readonly address: string;
}

const ROLES = 'warder:roles';
const ACTOR = Symbol('admin actor');

/** Lets in who has one of the roles; a method's own list replaces its class's. Without either nobody is let in. */
export const Roles = (...roles: readonly Role[]): MethodDecorator & ClassDecorator => SetMetadata(ROLES, roles);

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

/** Remembers with the request whom the guard let in. */
export function setActor(request: object, actor: AdminActor): void {
  (request as { [ACTOR]?: AdminActor })[ACTOR] = actor;
}
