import type { AuditRecord } from '@warder/contracts';
import { addressKind } from './record-fields.js';
import { dataOf, type OcsfEnum } from './ocsf-base.js';
import { PRODUCT } from './record-notes.js';

const EMAIL = /^[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$/;
// Maps, for a key such as `__proto__` is in every object.
const USER_TYPES = new Map<string, OcsfEnum>([
  ['human', [1, 'User']],
  ['service', [4, 'Service']],
]);

/** OCSF's `user`: the principal, or one that is named unknown, for the object wants an id or a name. */
export function ocsfUser(record: AuditRecord): object {
  const { principal, agent, personal } = record;
  if (principal === null) return { name: 'unknown', type_id: 0, type: 'Unknown' };
  const [typeId, type] = USER_TYPES.get(principal.kind) ?? [99, principal.kind];
  const { name, email } = personal?.principal ?? {};
  return {
    uid: principal.id,
    ...(name !== undefined && { name }),
    // The schema's own form of an address; one that does not have it would fail the whole event.
    ...(email && EMAIL.test(email) && { email_addr: email }),
    type_id: typeId,
    type,
    groups: principal.groups.map((group) => ({ name: group })),
    ...(agent && { programmatic_credentials: [{ uid: agent.id, type: agent.kind }] }),
  };
}

/** OCSF's `actor`: the principal, the agent as the application that acts for it, and what the access rules said. */
export function ocsfActor(record: AuditRecord): object {
  const { agent, personal, rule, policyVersion, decision } = record;
  return {
    user: ocsfUser(record),
    ...(agent && { app_uid: agent.id }),
    ...(personal?.agent && { app_name: personal.agent.name }),
    ...((rule !== null || policyVersion !== null) && {
      authorizations: [
        {
          decision,
          policy: {
            uid: rule ?? 'default',
            name: 'Access policy',
            ...(policyVersion !== null && { version: String(policyVersion) }),
          },
        },
      ],
    }),
  };
}

/** OCSF's `src_endpoint`: the address, as an IP where it is one. An endpoint must be named, erased or not. */
export function ocsfSource(record: AuditRecord): object {
  if (record.personal === null) return { name: 'erased' };
  const { address } = record.personal;
  if (address === '') return { name: record.node };
  return addressKind(address) === 'name' ? { name: address } : { ip: address };
}

/** OCSF's `api`: the method, who serves it, and what was sent and answered. */
export function ocsfApi(record: AuditRecord): object {
  const { personal, upstream, virtualServer, protocolVersion, agent } = record;
  return {
    operation: record.method === '' ? 'unknown' : record.method,
    ...(protocolVersion !== null && { version: protocolVersion }),
    service: { name: upstream ?? PRODUCT.name },
    ...(virtualServer !== null && { group: { name: virtualServer } }),
    request: { uid: record.recordId, ...dataOf(personal?.arguments) },
    response: {
      ...(record.refusal && { error: record.refusal.code }),
      ...(personal?.refusalDetail && { error_message: personal.refusalDetail }),
      ...dataOf(personal?.result),
    },
    ...(agent && {
      token: {
        uid: agent.id,
        ...(personal?.agent && { name: personal.agent.name }),
        type_id: 7,
        type: 'API Token',
      },
    }),
  };
}
