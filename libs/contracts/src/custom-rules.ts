import { z } from 'zod';
import { DetectorPattern } from './action-rules.js';
import { FindingCategory } from './finding-category.js';
import { Name, ToolPattern } from './policy-names.js';

/** Of each kind of rule that an operator writes, in one pack. */
export const CUSTOM_BOUNDS = {
  patterns: 100,
  patternChars: 500,
  examples: 20,
  exampleChars: 2_000,
  dictionaries: 20,
  /** Of all dictionaries together. */
  terms: 10_000,
  termChars: 64,
  allowRules: 200,
  allowedValues: 100,
  exactLists: 10,
  /** Of all lists together. */
  exactValues: 20_000,
  /** UTF-8 bytes of the pack's message, within the topic's 1 MiB. */
  bytes: 900_000,
} as const;

/** The detector of an operator's own: its id stands in findings, records, placeholders, and in rules of actions. */
export const CustomId = z
  .string()
  .regex(/^custom\.[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$/, 'an id is "custom." and 1-60 of a-z, 0-9 and "-"');

const DESCRIBED = {
  id: CustomId,
  /** Whose action its findings have where no rule of the matrix names it. */
  category: FindingCategory,
  /** For people. */
  what: z.string().max(200).default(''),
};
const Example = z.string().min(1).max(CUSTOM_BOUNDS.exampleChars);

/**
 * What texts look like, in a part of the syntax of regular expressions in which nothing can take long; group 1, where
 * there is one, is what is found. Its examples are tried before it is accepted.
 */
export const CustomPattern = z.strictObject({
  ...DESCRIBED,
  pattern: z.string().min(1).max(CUSTOM_BOUNDS.patternChars),
  isCaseSensitive: z.boolean().default(false),
  fires: z.array(Example).min(1).max(CUSTOM_BOUNDS.examples),
  passes: z.array(Example).min(1).max(CUSTOM_BOUNDS.examples),
});
export type CustomPattern = z.infer<typeof CustomPattern>;

/** Words and phrases, found whatever their case; a blank of a phrase is any white space. */
export const CustomDictionary = z.strictObject({
  ...DESCRIBED,
  terms: z.array(z.string().trim().min(2).max(CUSTOM_BOUNDS.termChars)).min(1).max(CUSTOM_BOUNDS.terms),
  /** Found within longer words too. */
  isWithinWords: z.boolean().default(false),
});
export type CustomDictionary = z.infer<typeof CustomDictionary>;

/** What is no finding: values (whatever their case) of named detectors, in named tools, or both. */
export const AllowRule = z
  .strictObject({
    name: Name,
    detectors: z.array(DetectorPattern).min(1).max(50),
    /** The whole of what was found is one of them; without it, whatever was found. */
    values: z.array(z.string().trim().min(1).max(200)).min(1).max(CUSTOM_BOUNDS.allowedValues).optional(),
    tool: ToolPattern.optional(),
    virtualServer: Name.optional(),
    direction: z.enum(['request', 'response']).optional(),
  })
  .refine(({ values, tool }) => values !== undefined || tool !== undefined, {
    path: ['values'],
    message: 'a rule that allows names values, a tool, or both',
  });
export type AllowRule = z.infer<typeof AllowRule>;

/** What a list of exact values says of them in clear: by it most texts need no hash. */
export const ExactShape = z.object({
  /** Letters and digits that a value has. */
  lengths: z.array(z.int().min(1)).min(1),
  /** Whether all values are digits. */
  isDigits: z.boolean(),
});
export type ExactShape = z.infer<typeof ExactShape>;

/** Values that nobody reads: each by the first 16 bytes of its keyed hash (HMAC-SHA-256), base64url. */
export const ExactList = z.object({
  ...DESCRIBED,
  /** What becomes of a call on a node that has not the key. */
  onError: z.enum(['open', 'closed']),
  keyId: z.string(),
  shape: ExactShape,
  hashes: z.array(z.string().length(22)),
});
export type ExactList = z.infer<typeof ExactList>;

const PATTERNS = { patterns: z.array(CustomPattern).max(CUSTOM_BOUNDS.patterns).default([]) };
const DICTIONARIES = { dictionaries: z.array(CustomDictionary).max(CUSTOM_BOUNDS.dictionaries).default([]) };
const ALLOW = { allow: z.array(AllowRule).max(CUSTOM_BOUNDS.allowRules).default([]) };

/** All rules of the operator's own, as they travel. */
export const CustomRules = z.object({
  ...PATTERNS,
  ...DICTIONARIES,
  ...ALLOW,
  exact: z.array(ExactList).max(CUSTOM_BOUNDS.exactLists).default([]),
});
export type CustomRules = z.infer<typeof CustomRules>;
