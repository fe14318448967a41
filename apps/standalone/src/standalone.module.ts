import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { auditService, type ExportersSettings } from '@warder/audit';
import { type ConnectionsConfig, credentialsService } from '@warder/credentials';
import { type GuardrailsConfig, guardrailsService } from '@warder/guardrails';
import { type IdentityConfig, identityService } from '@warder/identity';
import { ingressService } from '@warder/ingress';
import { policyService } from '@warder/policy';
import { ConfigError, describeIssue, type Host, type Service } from '@warder/service-host';
import type { DataDirectory } from './data-directory.js';
import { readOrMakeSecret } from './private-file.js';

/** Holder of the dynamic module that `composeServices` makes. */
@Module({})
export class StandaloneModule {}

export interface Composition {
  readonly directory: DataDirectory;
  readonly databaseUrl: string;
  readonly policyFile: string | undefined;
  readonly exporters: ExportersSettings;
  readonly connections: ConnectionsConfig;
  readonly approvals: GuardrailsConfig['approvals'];
  readonly identity: Pick<
    IdentityConfig,
    'groupRules' | 'scim' | 'leakedTokens' | 'signals' | 'signIn' | 'authorization' | 'account'
  >;
}

const PEPPER_ID = 'p1';

/** All services of the cluster in one process, each with the configuration that it would have on its own. */
export function composeServices(composition: Composition, hostFor: (service: string) => Host): DynamicModule {
  const { directory, databaseUrl, policyFile, exporters, identity, connections, approvals } = composition;
  const pepper = readOrMakeSecret(directory.pepperFile);
  const common = { database: { url: databaseUrl }, pepper: { current: PEPPER_ID, keys: { [PEPPER_ID]: pepper } } };
  // Both sides are of this process, and end with it.
  const mcpKey = randomBytes(32).toString('base64url');
  const secrets = { dir: directory.secretsDir, keyringFile: directory.keyringFile, create: true };
  const node = hostFor('ingress').node;
  const joinToken = readOrMakeSecret(join(directory.joinTokensDir, node));
  const of = <Config>(service: Service<Config>, config: unknown): DynamicModule => {
    const parsed = service.config.safeParse(config);
    if (!parsed.success) throw new ConfigError(`${service.name}: ${parsed.error.issues.map(describeIssue).join('; ')}`);
    return service.module(parsed.data, hostFor(service.name));
  };
  return {
    module: StandaloneModule,
    imports: [
      of(credentialsService, { ...common, secrets, connections, nodes: { joinTokensDir: directory.joinTokensDir } }),
      of(identityService, {
        ...common,
        ...identity,
        bootstrapTokenFile: directory.adminTokenFile,
        // One process has nothing to measure.
        canarySeconds: 0,
      }),
      of(policyService, { ...common, ...(policyFile === undefined ? {} : { policyFile }) }),
      of(guardrailsService, { ...common, approvals }),
      of(auditService, { ...common, exporters, archive: { dir: directory.archive }, mcpKey }),
      of(ingressService, {
        journal: { dir: directory.journal },
        replicaFile: directory.replicaFile,
        stdioFile: directory.stdioFile,
        sessionKey: readOrMakeSecret(directory.sessionKeyFile),
        peppers: { [PEPPER_ID]: pepper },
        leases: { identityFile: directory.identityFile, joinToken },
        audit: { url: hostFor('ingress').internalUrl, mcpKey },
      }),
    ],
  };
}
