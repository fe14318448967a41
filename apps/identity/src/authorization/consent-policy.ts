import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';

const { base, Check } = interactionPolicy;

/**
 * When a person is asked: as the library does, and whenever a token would be for a resource that the client was not
 * allowed. The library asks for scopes that are missing, so that a client which names none of the resource's own would be
 * given a token for any of them once it was allowed one.
 */
export function consentPolicy(): interactionPolicy.DefaultPolicy {
  const policy = base();
  const isMissing = ({ oidc }: KoaContextWithOIDC): boolean =>
    Object.entries(oidc.resourceServers ?? {}).some(([resource, { scope }]) => {
      const allowed = oidc.grant?.getResourceScopeEncountered(resource).split(' ') ?? [];
      return !(scope ?? '').split(' ').every((each) => allowed.includes(each));
    });
  const why = 'the resource was not allowed to the client';
  policy.get('consent')!.checks.add(new Check('resource_not_allowed', why, 'consent_required', isMissing));
  return policy;
}
