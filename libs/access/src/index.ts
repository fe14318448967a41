export { type BuiltIn, BUILT_INS, type BuiltInUpstream } from './built-in.js';
export { approvalOf, type ApprovalRules, type ToolApproval } from './approval-rules.js';
export {
  type AskedProvider,
  type DirectionUses,
  NO_PROVIDERS,
  type ProviderRules,
  providersOf,
  type ProviderUses,
} from './provider-uses.js';
export { captureLevelOf, type CaptureRules } from './capture-rules.js';
export {
  compilePolicy,
  type CompiledGrant,
  type CompiledPolicy,
  type CompiledSelection,
  type CompiledUpstream,
  type CompiledVirtualServer,
} from './compile-policy.js';
export { DecisionCache, type DecisionCacheBounds } from './decision-cache.js';
export {
  type AccessAction,
  type AccessRequest,
  coversVirtualServer,
  type Decision,
  DEFAULT_DENY,
  evaluate,
  matchingGrants,
  ROLE_MISSING,
  TOKEN_READ_ONLY,
  TOKEN_SCOPE,
  TOKEN_VIRTUAL_SERVER,
} from './evaluate.js';
export { type Caller, foldEmail, type Subject, subjectOf } from './subject.js';
export {
  type CanonicalTool,
  compilePattern,
  type CompiledPattern,
  compileWildcard,
  parseCanonicalTool,
  patternMatches,
  type Wildcard,
  wildcardMatches,
} from './tool-pattern.js';
