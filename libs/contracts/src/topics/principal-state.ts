import { z } from 'zod';
import { StateVersion } from '../state.js';
import { EVERY_SERVICE, type Topic } from '../topic.js';

/** What a principal may do at the admin doors; a tool call needs a grant, a role only where the tool is built in. */
export const Role = z.enum(['admin', 'operator', 'auditor', 'member']);
export type Role = z.infer<typeof Role>;

/** Who may act, as every node knows it. `suspended` and `removed` principals are refused everywhere. */
export const PrincipalState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'suspended', 'removed']),
  id: z.string(),
  kind: z.enum(['human', 'service']),
  name: z.string(),
  email: z.string().nullable(),
  groups: z.array(z.string()),
  roles: z.array(Role),
  /** The person who answers for a service account. */
  ownerId: z.string().optional(),
  /** Wall milliseconds; whatever was signed in before it, or in that millisecond, has ended. Tokens of one's own are no sign-in. */
  signedOutAtMs: z.number().optional(),
  /** Who the principal is elsewhere: at a sign-in provider by its id, or over SCIM (`scim`, its external id). */
  subjects: z.array(z.object({ provider: z.string(), subject: z.string() })).optional(),
});
export type PrincipalState = z.infer<typeof PrincipalState>;

/**
 * Key of a principal that nobody is: identity signs it out again and again, and each node tells how long after that it
 * was enforced. It has no row, no token and no grant, so nothing can be done in its name.
 */
export const CANARY_PRINCIPAL_ID = 'svc_canary';

export const principalStateTopic: Topic<PrincipalState> = {
  name: 'warder.principal.state.v1',
  key: 'principal id',
  schema: PrincipalState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 1_048_576,
  writers: ['identity'],
  readers: EVERY_SERVICE,
  example: {
    version: 3,
    status: 'active',
    id: 'usr_01jd3x7k',
    kind: 'human',
    name: 'Ana Ortiz',
    email: 'ana@example.com',
    groups: ['developers'],
    roles: ['member'],
  },
};
