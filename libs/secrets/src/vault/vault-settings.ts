import { z } from 'zod';

/** One path segment or several of a mount, key or prefix: nothing that a URL would read otherwise. */
const Path = z.string().regex(/^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/, 'letters, digits, "_", "-", parted by "/"');

/** Where a pod's own token is mounted. */
const POD_TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** How HashiCorp Vault or OpenBao is reached, who we are there, and the bounds of it. */
export const VaultSettings = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).max(2_048),
    /** Lets `url` be plain HTTP to another machine: for a network that nobody else is on. */
    plainHttp: z.boolean().default(false),
    /** PEM; authorities trusted in place of the system's. */
    caFile: z.string().min(1).optional(),
    namespace: Path.optional(),
    /** Milliseconds from a call to the last byte of its answer, the wait for a connection included. */
    timeoutMs: z.int().min(100).max(10_000).default(2_000),
    connectionsMax: z.int().min(1).max(64).default(8),
    /** Calls that run or wait for a connection; one more is refused at once. */
    callsMax: z.int().min(1).max(10_000).default(256),
    /** The key that wraps data keys. */
    transit: z.strictObject({ mount: Path.default('transit'), key: Path.default('warder') }).prefault({}),
    /** KV version 2, where named secrets stand. */
    kv: z.strictObject({ mount: Path.default('kv'), prefix: Path.default('warder') }).prefault({}),
    dataKeys: z
      .strictObject({
        /** Milliseconds for which one data key seals, and for which an unwrapped one stays in memory. */
        keptMs: z.int().min(1_000).max(600_000).default(600_000),
        /** Values that one data key seals. */
        sealsMax: z.int().min(1).max(1_048_576).default(65_536),
        /** Unwrapped data keys in memory. */
        cachedMax: z.int().min(1).max(10_000).default(1_000),
      })
      .prefault({}),
    approle: z
      .strictObject({
        mount: Path.default('approle'),
        roleId: z.string().min(1).max(512),
        /** The secret id itself, for places where a wrapped one cannot be delivered. */
        secretIdFile: z.string().min(1).optional(),
        /** A response-wrapping token of one; read again when the secret id that it gave is refused. */
        wrappedSecretIdFile: z.string().min(1).optional(),
      })
      .optional(),
    kubernetes: z
      .strictObject({
        mount: Path.default('kubernetes'),
        role: z.string().min(1).max(512),
        tokenFile: z.string().min(1).default(POD_TOKEN_FILE),
      })
      .optional(),
    jwt: z
      .strictObject({
        mount: Path.default('jwt'),
        role: z.string().min(1).max(512),
        tokenFile: z.string().min(1),
      })
      .optional(),
  })
  .superRefine((settings, ctx) => {
    const url = new URL(settings.url);
    const complain = (key: string, message: string) => ctx.addIssue({ code: 'custom', path: [key], message });
    if (url.protocol === 'http:' && !settings.plainHttp && !LOOPBACK.has(url.hostname))
      complain('url', 'plain HTTP to another machine needs plainHttp: true');
    if (url.pathname !== '/' || url.search !== '' || url.username !== '')
      complain('url', 'an origin: scheme, host and port');
    const logins = [settings.approle, settings.kubernetes, settings.jwt].filter((login) => login !== undefined);
    if (logins.length !== 1) complain('approle', 'exactly one of approle, kubernetes and jwt');
    const { approle } = settings;
    if (approle && (approle.secretIdFile === undefined) === (approle.wrappedSecretIdFile === undefined))
      complain('approle', 'exactly one of secretIdFile and wrappedSecretIdFile');
  });
export type VaultSettings = z.infer<typeof VaultSettings>;
