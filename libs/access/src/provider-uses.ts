import type { GuardrailProvider, PolicyDocument, ProviderUse, VirtualServer } from '@warder/contracts';
import { type CanonicalTool, compilePattern, type CompiledPattern, patternMatches } from './tool-pattern.js';

/** One provider that is asked about a tool's calls. */
export type AskedProvider = Pick<ProviderUse, 'provider' | 'action' | 'actions' | 'text'> &
  Pick<GuardrailProvider, 'onError'>;

/** Whom a call waits for, and who is asked without it, of one direction. */
export interface DirectionUses {
  readonly wait: readonly AskedProvider[];
  readonly after: readonly AskedProvider[];
}
export type ProviderUses = Readonly<Record<'request' | 'response', DirectionUses>>;

/** The lines of a virtual server, made ready for asking. */
export type ProviderRules = readonly {
  readonly patterns: readonly CompiledPattern[];
  readonly use: ProviderUse;
  readonly asked: AskedProvider;
}[];

const NOBODY: DirectionUses = { wait: [], after: [] };
/** Nobody is asked about anything: compared by reference, so that a call without providers costs one comparison. */
export const NO_PROVIDERS: ProviderUses = { request: NOBODY, response: NOBODY };

/** Compiles what a virtual server says; a line whose provider does not exist compiles to nothing. */
export function compileProviderRules(
  { providers = [] }: VirtualServer,
  known: PolicyDocument['guardrailProviders'] = {},
): ProviderRules {
  return providers.flatMap((use) => {
    const settings = Object.hasOwn(known, use.provider) ? known[use.provider] : undefined;
    if (settings === undefined) return [];
    const { provider, action, actions, text } = use;
    const patterns = use.tools.map(compilePattern).filter((pattern) => pattern !== undefined);
    return [{ patterns, use, asked: { provider, action, actions, text, onError: settings.onError } }];
  });
}

/** Who is asked about calls of a tool; of several lines of one provider and direction the first that matches counts. */
export function providersOf(rules: ProviderRules, tool: CanonicalTool): ProviderUses {
  const matching = rules.filter(({ patterns }) => patterns.some((pattern) => patternMatches(pattern, tool)));
  if (matching.length === 0) return NO_PROVIDERS;
  const ofDirection = (direction: 'request' | 'response'): DirectionUses => {
    const first = new Map<string, ProviderRules[number]>();
    for (const rule of matching)
      if (rule.use.directions.includes(direction) && !first.has(rule.use.provider)) first.set(rule.use.provider, rule);
    const inMode = (mode: ProviderUse['mode']) =>
      [...first.values()].filter(({ use }) => use.mode === mode).map(({ asked }) => asked);
    return first.size === 0 ? NOBODY : { wait: inMode('wait'), after: inMode('after') };
  };
  return { request: ofDirection('request'), response: ofDirection('response') };
}
