export { ActionMatrix, type ActionScope, type BothActions, type BothWords } from './action-matrix.js';
export { type Actions, actionsOfCategories, type Cell, takesOut } from './actions.js';
export { placeholderFor } from './redaction.js';
export { BUILT_IN_PACKS, type BuiltInPack } from './built-in-packs.js';
export { problemsOf, RULE_MS_MAX, type RuleProblem, type Took } from './custom/accept-rules.js';
export { EXACT_CHARS, exactShape, type KeyedHash, normalValue } from './custom/exact-values.js';
export { RuleComparison, type RuleComparisonReport, type RuleDifference } from './custom/compare-rules.js';
export { createEngine, SCREENING_BOUNDS } from './engine.js';
export type { Phase, Screening, ScreeningEngine } from './screening-engine.js';
