import { z } from 'zod';
import { Name, ToolPattern } from './policy-names.js';
import { Role } from './topics/principal-state.js';

/** Names of people, services and tokens: anything printable, for they are shown and logged. */
export const DisplayName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'control characters are not allowed');
export const Groups = z.array(Name).max(100);
const Roles = z.array(Role).max(4);

export const CreatePrincipal = z.strictObject({
  kind: z.enum(['human', 'service']).default('human'),
  name: DisplayName,
  email: z.email().max(320).nullable().default(null),
  groups: Groups.default([]),
  roles: Roles.default(['member']),
});
export type CreatePrincipal = z.infer<typeof CreatePrincipal>;

/** What is absent stays as it is. `removed` is not a patch: it is `DELETE`, and final. */
export const ChangePrincipal = z.strictObject({
  name: DisplayName.optional(),
  email: z.email().max(320).nullable().optional(),
  groups: Groups.optional(),
  roles: Roles.optional(),
  status: z.enum(['active', 'suspended']).optional(),
});
export type ChangePrincipal = z.infer<typeof ChangePrincipal>;

/** Entries of each list of scopes. */
const SCOPE_ENTRIES_MAX = 200;
const Network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'not an address, nor a network in CIDR notation');

/** `TokenScopes` as they are asked for: what could never let anything through is an error and no scope. */
const AskedScopes = z.strictObject({
  tools: z.array(ToolPattern).max(SCOPE_ENTRIES_MAX).nullable().default(null),
  virtualServers: z.array(Name).max(SCOPE_ENTRIES_MAX).nullable().optional(),
  readOnly: z.boolean().optional(),
  addresses: z.array(Network).max(SCOPE_ENTRIES_MAX).nullable().optional(),
});

/** A token of one's own. Days default to and are bounded by identity's configuration. */
export const IssueOwnToken = z.strictObject({
  name: DisplayName,
  expiresInDays: z.int().min(1).max(3_650).optional(),
  scopes: AskedScopes.default({ tools: null }),
});
export type IssueOwnToken = z.infer<typeof IssueOwnToken>;

/** A new secret for a token; what is absent is as identity's configuration says, or stays as it is. */
export const RotateToken = z.strictObject({
  /** Seconds that the old secret works on; 0 ends it at once. */
  graceSeconds: z.int().min(0).max(31_536_000).optional(),
  expiresInDays: z.int().min(1).max(3_650).optional(),
});
export type RotateToken = z.infer<typeof RotateToken>;

/** A token for any principal; the caller's own unless said otherwise. */
export const IssueToken = IssueOwnToken.extend({ principalId: z.string().min(1).max(100).optional() });
export type IssueToken = z.infer<typeof IssueToken>;

/** Where a page begins and how long it is; `after` is the `next` of the page before. */
export const IdentityPage = z.strictObject({
  after: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type IdentityPage = z.infer<typeof IdentityPage>;

/** A page of tokens, of one principal where it is named. */
export const IdentityTokenPage = IdentityPage.extend({ principalId: z.string().min(1).max(100).optional() });
export type IdentityTokenPage = z.infer<typeof IdentityTokenPage>;
