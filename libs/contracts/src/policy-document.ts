import { z } from 'zod';
import { ApprovalSettings } from './approval-settings.js';
import { CaptureLevel } from './capture-level.js';
import { GuardrailProvider, ProviderUse } from './guardrail-providers.js';
import { Name, ToolPattern } from './policy-names.js';
import { FlowSettings, UpstreamFlow } from './flow-settings.js';

export const GuardrailAction = z.enum(['off', 'flag', 'redact', 'block']);
export type GuardrailAction = z.infer<typeof GuardrailAction>;

/** What to do with a finding of each category, for one direction. */
export const GuardrailActions = z.strictObject({
  secret: GuardrailAction.default('redact'),
  pii: GuardrailAction.default('redact'),
  injection: GuardrailAction.default('flag'),
  hidden: GuardrailAction.default('flag'),
});
export type GuardrailActions = z.infer<typeof GuardrailActions>;

/**
 * What becomes of a tool whose definition no administrator accepted. `hide`: it is not there. `hide-changes`: it is
 * there until it changes; once anything of the upstream was accepted, what was not is not there. `flag`: it is there,
 * and records say so. `trust`: the upstream may change its tools as it likes.
 */
export const DefinitionRule = z.enum(['hide', 'hide-changes', 'flag', 'trust']);
export type DefinitionRule = z.infer<typeof DefinitionRule>;

export const Upstream = z.strictObject({
  transport: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('streamable-http'), url: z.url({ protocol: /^https?$/ }).max(2_000) }),
    // A command never travels: the entry is looked up in the ingress node's own stdio.yaml.
    z.strictObject({ kind: z.literal('stdio'), entry: Name }),
  ]),
  /** Prefix of exposed names, `<prefix>__<tool>`; the upstream's own name unless said otherwise. */
  prefix: Name.optional(),
  /** Milliseconds one call may take. */
  timeoutMs: z.int().min(100).max(3_600_000).default(60_000),
  /** An operator says so by name, or no loopback, private or link-local address is ever dialled. */
  allowPrivateAddress: z.boolean().default(false),
  /** What the flow policy knows of its tools; without it every answer is taken for untrusted. */
  flow: UpstreamFlow.optional(),
  definitions: DefinitionRule.default('hide-changes'),
});
export type Upstream = z.infer<typeof Upstream>;

export const VirtualServerTool = z.strictObject({
  upstream: Name,
  /** A tool of the upstream, or a pattern of them. */
  tool: z.string().min(1).max(128),
  /** Exposed name instead of `<prefix>__<tool>`; only for one tool, not for a pattern. */
  as: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
  /** Prefix instead of the upstream's; the empty string exposes names as they are. */
  prefix: z.union([Name, z.literal('')]).optional(),
});
export type VirtualServerTool = z.infer<typeof VirtualServerTool>;

const TOOL_SETTINGS_MAX = 1_000;
const PROVIDERS_MAX = 32;

/** How sure records of a virtual server are, and what they keep of arguments and results. */
export const RecordSettings = z.strictObject({
  /**
   * `strict`: a record is on the disk before the upstream is called, and before the answer leaves. `async`: within
   * milliseconds of it (`journal.syncEveryMs`), which a killed process survives and a power cut may not.
   */
  mode: z.enum(['strict', 'async']).default('async'),
  capture: CaptureLevel.default('full'),
  /** Instead of it for the tools of a pattern, the most specific first. */
  tools: z
    .record(ToolPattern, z.strictObject({ capture: CaptureLevel }))
    .refine((tools) => Object.keys(tools).length <= TOOL_SETTINGS_MAX, `at most ${TOOL_SETTINGS_MAX} patterns`)
    .default({}),
});
export type RecordSettings = z.infer<typeof RecordSettings>;

export const VirtualServer = z.strictObject({
  description: z.string().max(1_000).default(''),
  tools: z.array(VirtualServerTool).max(2_000),
  guardrails: z
    .strictObject({ request: GuardrailActions.prefault({}), response: GuardrailActions.prefault({}) })
    .prefault({}),
  record: RecordSettings.prefault({}),
  /** Who approves of calls that are held, and which tools always are. */
  approval: ApprovalSettings.optional(),
  /** Without it the flow policy is `balanced` and flags. */
  flow: FlowSettings.optional(),
  /** Guardrails of others that are shown its calls. */
  providers: z.array(ProviderUse).max(PROVIDERS_MAX).optional(),
});
export type VirtualServer = z.infer<typeof VirtualServer>;

export const Grant = z.strictObject({
  /** Stands in the record and in `explain`. */
  name: Name,
  effect: z.enum(['permit', 'forbid']),
  /** One of: a group's name, or a principal's id or e-mail address. */
  to: z.union([z.strictObject({ group: Name }), z.strictObject({ principal: z.string().min(1).max(320) })]),
  tools: z.array(ToolPattern).min(1).max(1_000),
});
export type Grant = z.infer<typeof Grant>;

export const CallLimit = z.strictObject({
  callsPerMinute: z.int().min(1).max(10_000_000).default(600),
  burst: z.int().min(1).max(1_000_000).default(120),
});
export type CallLimit = z.infer<typeof CallLimit>;

/**
 * What `warder.yaml` holds and what `PUT /admin/policy` takes: the whole policy, nothing by default.
 * An unknown key anywhere is an error.
 */
export const PolicyDocument = z.strictObject({
  upstreams: z.record(Name, Upstream).default({}),
  virtualServers: z.record(Name, VirtualServer).default({}),
  /** Guardrails of others, by the name that virtual servers use; their credentials are stored with /admin/credentials. */
  guardrailProviders: z
    .record(Name, GuardrailProvider)
    .refine((providers) => Object.keys(providers).length <= PROVIDERS_MAX, `at most ${PROVIDERS_MAX} providers`)
    .optional(),
  grants: z.array(Grant).max(10_000).default([]),
  /** Per principal and ingress node. */
  limit: CallLimit.prefault({}),
});
export type PolicyDocument = z.infer<typeof PolicyDocument>;
