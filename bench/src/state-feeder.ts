import type { Bus } from '@warder/bus';
import {
  connectionStateTopic,
  grantStateTopic,
  type GuardrailRulesState,
  guardrailRulesStateTopic,
  POLICY_READER,
  POLICY_SNAPSHOT_KEY,
  type PolicySnapshot,
  policySnapshotTopic,
  type PrincipalState,
  principalStateTopic,
  signingKeyStateTopic,
  type TokenState,
  tokenStateTopic,
  toolDefinitionVerdictTopic,
  trustedIssuerStateTopic,
  upstreamAuthStateTopic,
} from '@warder/contracts';
import { BUILT_IN_PACKS } from '@warder/detectors';
import { digestOf, issueToken } from '@warder/tokens';
import { randomBytes } from 'node:crypto';
import { GRANTED_TOOLS, GROUP, PRINCIPALS, toolName, UPSTREAM, VIRTUAL_SERVER } from './workload.js';

/** Key id and secret of the pepper that the tokens are made with. */
export interface BenchPepper {
  readonly keyId: string;
  readonly secret: string;
}

/** Messages of one publication. */
const PART = 1_000;
const TOKEN_LIFE_MS = 86_400_000;

/**
 * Says on the bus what identity, policy, credentials and guardrails would say, and goes on answering for them until
 * the bus is closed: principals with a token each, a policy of one upstream, every built-in rule pack.
 * @returns the bearers, by principal
 */
export async function feedState(
  bus: Bus,
  pepper: BenchPepper,
  upstreamPort: number,
  principals = PRINCIPALS,
): Promise<string[]> {
  const topics = [
    principalStateTopic,
    tokenStateTopic,
    policySnapshotTopic,
    guardrailRulesStateTopic,
    connectionStateTopic,
    grantStateTopic,
    signingKeyStateTopic,
    toolDefinitionVerdictTopic,
    trustedIssuerStateTopic,
    upstreamAuthStateTopic,
  ];
  await bus.ensureTopics(topics);
  const tokens = Array.from({ length: principals }, () => issueToken(randomBytes));
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  // In parts: one record batch must fit into what the topic takes.
  for (let from = 0; from < principals; from += PART) {
    const part = tokens.slice(from, from + PART);
    await bus.publishRaw(
      principalStateTopic,
      part.map((_, at) => ({ key: principalId(from + at), value: json(principal(from + at)) })),
    );
    await bus.publishRaw(
      tokenStateTopic,
      part.map((text, at) => ({
        key: digestOf(text, pepper.secret),
        value: json(token(from + at, pepper.keyId)),
      })),
    );
  }
  for (const [pack, detectors] of Object.entries(BUILT_IN_PACKS)) {
    const state: GuardrailRulesState = { version: 1, status: 'active', pack, detectors: [...detectors] };
    await bus.publish(guardrailRulesStateTopic, pack, state);
  }
  await bus.publish(policySnapshotTopic, POLICY_SNAPSHOT_KEY, policy(upstreamPort));
  for (const topic of topics) await bus.own(topic);
  return tokens;
}

/** Id of a person of the bench. */
export const principalId = (index: number): string => `usr_bench_${index}`;

/** A person of the bench, as identity would say. */
export const principal = (index: number): PrincipalState => ({
  version: 1,
  status: 'active',
  id: principalId(index),
  kind: 'human',
  name: `Bench Person ${index}`,
  email: `person-${index}@example.com`,
  groups: [GROUP],
  roles: ['member'],
});

/** Their token. */
export const token = (index: number, pepperKeyId: string): TokenState => ({
  version: 1,
  status: 'active',
  id: `pat_bench_${index}`,
  name: 'laptop',
  principalId: principalId(index),
  pepperKeyId,
  createdAtMs: Date.now(),
  expiresAtMs: Date.now() + TOKEN_LIFE_MS,
  scopes: { tools: null },
});

function policy(upstreamPort: number): PolicySnapshot {
  const actions = { secret: 'redact', pii: 'redact', injection: 'flag', hidden: 'flag' } as const;
  return {
    version: 1,
    status: 'active',
    minReader: POLICY_READER,
    publishedAtMs: Date.now(),
    document: {
      upstreams: {
        [UPSTREAM]: {
          transport: { kind: 'streamable-http', url: `http://127.0.0.1:${upstreamPort}/mcp` },
          timeoutMs: 10_000,
          allowPrivateAddress: true,
          definitions: 'hide-changes',
        },
      },
      virtualServers: {
        [VIRTUAL_SERVER]: {
          description: '',
          tools: [{ upstream: UPSTREAM, tool: '*' }],
          guardrails: { request: actions, response: actions },
          record: { mode: 'async', capture: 'full', tools: {} },
        },
      },
      grants: [
        {
          name: GROUP,
          effect: 'permit',
          to: { group: GROUP },
          tools: Array.from({ length: GRANTED_TOOLS }, (_, index) => `${UPSTREAM}/${toolName(index)}`),
        },
      ],
      // The bucket is taken from on every call; it must never be the thing that answers.
      limit: { callsPerMinute: 10_000_000, burst: 1_000_000 },
    },
  };
}
