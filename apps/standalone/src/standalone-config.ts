import { dirname, join, resolve } from 'node:path';
import { ExportersSettings } from '@warder/audit';
import { Name, PolicyDocument } from '@warder/contracts';
import { ConnectionsConfig } from '@warder/credentials';
import { GuardrailsConfig } from '@warder/guardrails';
import { IdentityConfig } from '@warder/identity';
import { ConfigError, describeIssue, EventSettings, HostSettings, readYaml } from '@warder/service-host';
import { z } from 'zod';
import type { CommandLine } from './command-line.js';

const StdioEntry = z.strictObject({
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  cwd: z.string().optional(),
});

/** What `--config` may say; all of it optional. */
export const StandaloneFile = z.strictObject({
  /** A `warder.yaml`: then it is the whole policy. Relative to this file. */
  policyFile: z.string().min(1).optional(),
  /** Programs that stdio upstreams of the policy may name, beside `filesystem`. */
  stdio: z.record(Name, StdioEntry).default({}),
  /** Receivers of the audit records, as `exporters` of the audit service. */
  exporters: ExportersSettings,
  /** As of the identity service. */
  groupRules: IdentityConfig.shape.groupRules,
  scim: IdentityConfig.shape.scim,
  leakedTokens: IdentityConfig.shape.leakedTokens,
  signals: IdentityConfig.shape.signals,
  signIn: IdentityConfig.shape.signIn,
  authorization: IdentityConfig.shape.authorization,
  agents: IdentityConfig.shape.agents,
  account: IdentityConfig.shape.account,
  /** As of the credentials service. */
  connections: ConnectionsConfig.prefault({}),
  /** As of the guardrails service. */
  approvals: GuardrailsConfig.shape.approvals,
  /** As in every process. */
  admin: HostSettings.shape.admin,
  listen: z.strictObject({ host: z.string().min(1) }).optional(),
  publicUrl: HostSettings.shape.publicUrl,
  tls: HostSettings.shape.tls,
  trustedProxies: HostSettings.shape.trustedProxies,
  /** Bounds of the events that wait for their readers, under the data directory. */
  events: EventSettings.omit({ dir: true }).prefault({}),
  log: HostSettings.shape.log,
  bounds: HostSettings.shape.bounds,
});

export interface StandaloneConfig {
  readonly settings: HostSettings;
  readonly policyFile: string | undefined;
  readonly stdio: Readonly<Record<string, z.infer<typeof StdioEntry>>>;
  readonly exporters: ExportersSettings;
  readonly identity: Pick<
    IdentityConfig,
    'groupRules' | 'scim' | 'leakedTokens' | 'signals' | 'signIn' | 'authorization' | 'agents' | 'account'
  >;
  readonly connections: ConnectionsConfig;
  readonly approvals: GuardrailsConfig['approvals'];
}

/**
 * Reads the file of `--config`: either settings of standalone, or a policy as such (a `warder.yaml`).
 * @throws ConfigError naming the file and the key
 */
export function readStandaloneConfig(line: CommandLine): StandaloneConfig {
  const file = line.configFile;
  const document = file === undefined ? {} : readYaml(file);
  const isPolicy = Object.keys(document).some((key) => Object.hasOwn(PolicyDocument.shape, key));
  const parsed = StandaloneFile.safeParse(isPolicy ? { policyFile: file } : document);
  if (!parsed.success) throw new ConfigError(`${file}: ${parsed.error.issues.map(describeIssue).join('; ')}`);
  const { policyFile, stdio, exporters, listen, events, approvals, ...rest } = parsed.data;
  const { groupRules, scim, leakedTokens, signals, signIn, authorization, agents, account, connections, ...ofHost } =
    rest;
  return {
    settings: HostSettings.parse({
      ...ofHost,
      node: 'standalone',
      listen: { host: listen?.host ?? '127.0.0.1', port: line.port },
      internal: { host: '127.0.0.1', port: 0 },
      bus: { kind: 'in-process', events: { dir: join(line.dataDir, 'events'), ...events } },
    }),
    policyFile: policyFile === undefined ? undefined : resolve(dirname(file ?? ''), policyFile),
    stdio,
    exporters,
    identity: { groupRules, scim, leakedTokens, signals, signIn, authorization, agents, account },
    connections,
    approvals,
  };
}
