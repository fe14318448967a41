import { z } from 'zod';
import { TrustedIssuerConfig } from './trusted-issuer-config.js';

const Host = z.string().regex(/^[a-z0-9.-]+(?::\d+)?$/i, 'a host name, with its port where it is not the usual one');

/** How clients come to their tokens. */
export const AuthorizationConfig = z.strictObject({
  /**
   * Where clients are sent for their tokens: to Warder's own authorization server, or to the company's, whose tokens
   * are then taken.
   */
  mode: z.enum(['own', 'resource-server']).default('own'),
  /** The company's own; required in the mode `resource-server`. */
  trusted: TrustedIssuerConfig.optional(),
  /** Minutes that an access token lives. Revocation does not wait for it; a client that never refreshes does. */
  accessTokenMinutes: z.int().min(1).max(1_440).default(60),
  /** Days after which another key signs; 0: only when an administrator asks. */
  signingKeyDays: z.int().min(0).max(3_650).default(90),
  /** Seconds for which a key is told of before it signs: programs keep the set of keys for a while. */
  signingKeyAheadSeconds: z.int().min(0).max(604_800).default(3_600),
  /** Days after its last use in which a refresh token can be used. */
  refreshTokenDays: z.int().min(1).max(365).default(14),
  /** Seconds in which a refresh token that was used is taken again: windows of one client refresh at once. */
  refreshReuseSeconds: z.int().min(0).max(60).default(30),
  /** Days after which a person is asked again whether a client may act for them. */
  grantDays: z.int().min(1).max(3_650).default(90),
  /** Hours that a browser stays signed in. */
  sessionHours: z.int().min(1).max(720).default(12),
  /** Clients that publish who they are under a URL (CIMD): any, those of some hosts, or none. */
  clientDocuments: z.union([z.enum(['any', 'off']), z.array(Host).max(1_000)]).default('any'),
  /** Hosts of client documents that may stand on private addresses, for what runs on one's own network. */
  privateDocumentHosts: z.array(Host).max(100).default([]),
  /** Authorities trusted for client documents in place of the system's, PEM. */
  documentCaFile: z.string().min(1).optional(),
  /** Registration by the client itself (RFC 7591). */
  registration: z
    .strictObject({
      mode: z.enum(['on', 'off']).default('on'),
      /** Registrations of one address in a minute. */
      perMinute: z.int().min(1).max(10_000).default(20),
      /** Days after which a client that was never used is forgotten. */
      unusedDays: z.int().min(1).max(365).default(7),
    })
    .prefault({}),
  /** Clients that are known in advance; without a secret they are public ones. */
  clients: z
    .array(
      z
        .strictObject({
          id: z
            .string()
            .regex(/^(?!svc_)/, 'begins as ids of service accounts do')
            .min(1)
            .max(200),
          name: z.string().min(1).max(200),
          redirectUris: z.array(z.url()).max(50),
          secret: z.string().min(32).max(512).optional(),
          /** Whether it may come for tokens by the word of the company's provider (ID-JAG), for which it needs a secret. */
          idJag: z.boolean().default(false),
          /** Whether people may administer Warder through it: it may ask for tokens of the admin doors. */
          admin: z.boolean().default(false),
        })
        .refine(({ idJag, secret }) => !idJag || secret !== undefined, {
          path: ['idJag'],
          message: 'a client that presents ID-JAGs needs a secret',
        })
        .refine(({ idJag, redirectUris }) => idJag || redirectUris.length > 0, {
          path: ['redirectUris'],
          message: 'a client that people sign in with needs one',
        }),
    )
    .max(1_000)
    .default([]),
});
export type AuthorizationConfig = z.infer<typeof AuthorizationConfig>;
