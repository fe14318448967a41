import { Name } from '@warder/contracts';
import { ACTORS_MAX } from '@warder/tokens';
import { z } from 'zod';

const Text = z.string().min(1).max(512);
const Host = z.string().regex(/^[a-z0-9.-]+(?::\d+)?$/i, 'a host name, with its port where it is not the usual one');
/** `*` at the end stands for anything. */
const Pattern = z
  .string()
  .regex(/^[^*]{0,511}\*?$/, 'a text with one "*" at its end at most')
  .min(1);

/** A company's provider, whose word on people is taken at the token endpoint. */
export const CompanyIssuer = z.strictObject({
  id: Name,
  /** Its `iss`, to the letter. */
  issuer: z.url().max(512),
  jwksUri: z.url().max(2_048),
  /** Under which provider of `signIn` its people are known; its own id unless said otherwise. */
  provider: Name.optional(),
  /** Whether a person who never signed in here is recognised by the address that it verified. */
  linksByEmail: z.boolean().default(false),
  /** Whether its ID-JAGs are taken. */
  idJag: z.boolean().default(false),
  /** Audiences of its ID tokens that may be exchanged; none: no ID token may. */
  idTokenAudiences: z.array(Text).max(50).default([]),
});
export type CompanyIssuer = z.infer<typeof CompanyIssuer>;

/** Who vouches for workloads; its id is the OAuth client by which they come. */
export const TrustDomain = z.union([
  z.strictObject({
    id: Name,
    kind: z.literal('spiffe'),
    /** Without `spiffe://`. */
    trustDomain: z.string().regex(/^[a-z0-9._-]{1,255}$/),
    jwksUri: z.url().max(2_048),
    /** The `aud` that its tokens must have. */
    audience: Text,
  }),
  z.strictObject({
    id: Name,
    kind: z.literal('kubernetes'),
    /** Of the cluster's service-account tokens, to the letter. */
    issuer: z.url().max(512),
    jwksUri: z.url().max(2_048),
    audience: Text,
  }),
]);
export type TrustDomain = z.infer<typeof TrustDomain>;

/** Who may act for whom. What no rule says is not allowed. */
export const MayActRule = z.strictObject({
  /** In records. */
  name: Name,
  /** Ids of service accounts. */
  serviceAccounts: z.array(Text).max(1_000).default([]),
  /** Teams, of whose service accounts any may. */
  teams: z.array(Name).max(100).default([]),
  /** Workloads: the subjects of these tokens, of this domain. */
  workloads: z
    .array(z.strictObject({ trustDomain: Name, subject: Pattern }))
    .max(1_000)
    .default([]),
  /** For people in one of these groups, */
  groups: z.array(Name).max(100).default([]),
  /** and for these, by id. */
  principals: z.array(Text).max(1_000).default([]),
  virtualServers: z.array(Name).min(1).max(100),
  /** Minutes that a token lives at most; it never outlives those that it was exchanged for. */
  minutesMax: z.int().min(1).max(1_440).default(15),
  /** Actors of a chain, this one included. */
  depthMax: z.int().min(1).max(ACTORS_MAX).default(1),
});
export type MayActRule = z.infer<typeof MayActRule>;

function areUnique(ids: readonly string[]): boolean {
  return new Set(ids).size === ids.length;
}

/** Programs that act on their own, and for people. */
export const AgentsConfig = z
  .strictObject({
    /** Service accounts of one owner. */
    accountsPerOwnerMax: z.int().min(1).max(10_000).default(100),
    /** Secrets of one service account at a time: two for a rotation. */
    secretsPerAccountMax: z.int().min(1).max(20).default(4),
    /** Seconds between `iat` and `exp` of an ID-JAG at most. */
    assertionSecondsMax: z.int().min(30).max(3_600).default(600),
    /** Hosts of keys that may stand on private addresses, or on this machine without TLS. */
    privateHosts: z.array(Host).max(100).default([]),
    /** Authorities trusted for keys in place of the system's, PEM. */
    caFile: z.string().min(1).optional(),
    issuers: z.array(CompanyIssuer).max(20).default([]),
    trustDomains: z.array(TrustDomain).max(20).default([]),
    mayAct: z.array(MayActRule).max(500).default([]),
  })
  .refine(({ issuers }) => areUnique(issuers.map(({ issuer }) => issuer)), {
    path: ['issuers'],
    message: 'two are of the same issuer',
  })
  .refine(({ trustDomains }) => areUnique(trustDomains.map(({ id }) => id)), {
    path: ['trustDomains'],
    message: 'two have the same id',
  })
  .refine(
    ({ mayAct, trustDomains }) => {
      const known = new Set(trustDomains.map(({ id }) => id));
      return mayAct.every(({ workloads }) => workloads.every(({ trustDomain }) => known.has(trustDomain)));
    },
    { path: ['mayAct'], message: 'a rule names a trust domain that is not configured' },
  );
export type AgentsConfig = z.infer<typeof AgentsConfig>;
