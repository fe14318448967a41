import { z } from 'zod';
import { ActionRules } from './action-rules.js';
import { AllowRule, CUSTOM_BOUNDS, CustomDictionary, CustomId, CustomPattern, ExactList } from './custom-rules.js';
import { Finding } from './audit-record.js';
import { GuardrailActions } from './policy-document.js';
import { DefinitionHash } from './topics/tool-definition-verdict.js';

/** Which detectors of a rule pack are on; the whole list, not a change of it. */
export const ChangeRulePack = z.strictObject({ detectors: z.array(z.string().min(1).max(100)).max(2_000) });
export type ChangeRulePack = z.infer<typeof ChangeRulePack>;

/** The whole matrix of actions; not a change of it. */
export const ChangeActions = z.strictObject({ rules: ActionRules });
export type ChangeActions = z.infer<typeof ChangeActions>;

/** A list of exact values as it is written: the values, which are hashed and forgotten, or those that the list has. */
const WrittenExactList = z
  .strictObject({
    id: CustomId,
    category: ExactList.shape.category,
    what: ExactList.shape.what,
    onError: ExactList.shape.onError.default('closed'),
    values: z.array(z.string().min(1).max(200)).min(1).max(CUSTOM_BOUNDS.exactValues).optional(),
    isKept: z.literal(true).optional(),
  })
  .refine(({ values, isKept }) => (values === undefined) === (isKept === true), {
    path: ['values'],
    message: 'a list has "values", or "isKept": true for those that it has already',
  });

/** All of the operator's own rules; not a change of them. */
export const ChangeCustomRules = z
  .strictObject({
    patterns: z.array(CustomPattern).max(CUSTOM_BOUNDS.patterns).default([]),
    dictionaries: z.array(CustomDictionary).max(CUSTOM_BOUNDS.dictionaries).default([]),
    allow: z.array(AllowRule).max(CUSTOM_BOUNDS.allowRules).default([]),
    exact: z.array(WrittenExactList).max(CUSTOM_BOUNDS.exactLists).default([]),
  })
  .refine(({ patterns, dictionaries, exact }) => isDistinct([...patterns, ...dictionaries, ...exact], 'id'), {
    message: 'two rules have one id',
  })
  .refine(({ allow }) => isDistinct(allow, 'name'), { path: ['allow'], message: 'two rules have one name' })
  .refine(({ dictionaries }) => sum(dictionaries.map(({ terms }) => terms.length)) <= CUSTOM_BOUNDS.terms, {
    path: ['dictionaries'],
    message: `dictionaries have ${CUSTOM_BOUNDS.terms} terms together at most`,
  })
  .refine(({ exact }) => sum(exact.map(({ values }) => values?.length ?? 0)) <= CUSTOM_BOUNDS.exactValues, {
    path: ['exact'],
    message: `lists have ${CUSTOM_BOUNDS.exactValues} values together at most`,
  });
export type ChangeCustomRules = z.infer<typeof ChangeCustomRules>;

/** A dry run: what the gateway would do with a value. */
export const CheckGuardrails = z
  .strictObject({ phase: Finding.shape.phase, actions: GuardrailActions.prefault({}), value: z.unknown() })
  .refine(({ value }) => value !== undefined, { path: ['value'], message: 'missing' });
export type CheckGuardrails = z.infer<typeof CheckGuardrails>;

const ToolName = z.string().min(1).max(1_000);

/** Definitions of an upstream that are right, each by the hash that was looked at. */
export const AcceptDefinitions = z.strictObject({
  tools: z
    .array(z.strictObject({ tool: ToolName, hash: DefinitionHash }))
    .min(1)
    .max(5_000),
  /** Whether what was accepted before of these tools stays right beside it. */
  keepOthers: z.boolean().default(false),
});
export type AcceptDefinitions = z.infer<typeof AcceptDefinitions>;

/** A definition that is never to be shown. */
export const RejectDefinition = z.strictObject({ tool: ToolName, hash: DefinitionHash });
export type RejectDefinition = z.infer<typeof RejectDefinition>;

function isDistinct<K extends string>(rules: readonly Readonly<Record<K, string>>[], key: K): boolean {
  return new Set(rules.map((rule) => rule[key])).size === rules.length;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
