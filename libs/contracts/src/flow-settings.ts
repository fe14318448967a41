import { z } from 'zod';

/**
 * What the flow policy knows of a tool. `untrusted`: its answers may hold what a stranger wrote; `private`: it reads
 * what not everyone may know; `external`: what it is given leaves the organisation; `destructive`: it cannot be undone;
 * `write`: it changes something; `sanitiser`: its answer is safe to act on, whatever it was made from.
 */
export const FlowLabel = z.enum(['untrusted', 'private', 'external', 'destructive', 'write', 'sanitiser']);
export type FlowLabel = z.infer<typeof FlowLabel>;

export const FlowPreset = z.enum(['exfiltration', 'balanced', 'strict']);
export type FlowPreset = z.infer<typeof FlowPreset>;

const TOOLS_MAX = 1_000;
const ALLOWED_MAX = 1_000;

/** What an operator says of an upstream's tools. */
export const UpstreamFlow = z.strictObject({
  /** Whether its tools' annotations are believed; those of a stranger say what the stranger likes. */
  isTrusted: z.boolean().default(false),
  /** Labels of every tool of it that `tools` does not name; an empty list says that its answers are trusted. */
  labels: z.array(FlowLabel).max(6).optional(),
  /** By the upstream's own name of the tool: all labels that it has, instead of `labels`. */
  tools: z
    .record(z.string().min(1).max(128), z.array(FlowLabel).max(6))
    .refine((tools) => Object.keys(tools).length <= TOOLS_MAX, `at most ${TOOLS_MAX} tools`)
    .default({}),
});
export type UpstreamFlow = z.infer<typeof UpstreamFlow>;

/** How a virtual server decides whether a call follows from what was read before it. */
export const FlowSettings = z.strictObject({
  preset: FlowPreset.default('balanced'),
  /**
   * `flag`: a call goes on with a finding, only one of a tool labelled `destructive` waits for a human; `enforce`: it
   * waits for a human, and with the preset `strict` it is refused. Without it: `enforce` for `strict`, else `flag`.
   */
  mode: z.enum(['off', 'flag', 'enforce']).optional(),
  /** Milliseconds without a call after which a run is over. */
  windowMs: z.int().min(1_000).max(86_400_000).default(1_800_000),
  /** The member of a request's `_meta` that names a run inside of its client's own; it can only narrow. */
  runMeta: z.string().min(1).max(128).optional(),
  /** Hosts and whole addresses that may be acted on wherever they were read; a host stands for all below it. */
  allow: z
    .strictObject({
      domains: z
        .array(z.string().regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/))
        .max(ALLOWED_MAX)
        .default([]),
      recipients: z.array(z.string().min(1).max(320)).max(ALLOWED_MAX).default([]),
    })
    .prefault({}),
});
export type FlowSettings = z.infer<typeof FlowSettings>;
