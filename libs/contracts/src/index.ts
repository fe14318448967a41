export { ApprovalsQuery, DecideApproval } from './approval-bodies.js';
export { ApprovalId } from './approval-id.js';
export { ApprovalSettings, ApprovalTerms } from './approval-settings.js';
export { Hold, HoldStep } from './hold.js';
export { AppliedWait } from './applied-wait.js';
export { PlaceLegalHold, RequestErasure } from './audit-keeping.js';
export {
  AuditCallsQuery,
  AuditExportQuery,
  BundleQuery,
  CheckpointsQuery,
  QuarantineQuery,
  RewindExporter,
  WhoUsedQuery,
} from './audit-queries.js';
export {
  AuditIntent,
  AuditOutcome,
  AuditRecord,
  CAPTURE_BYTES_MAX,
  Capture,
  Finding,
  PersonalIntent,
  PersonalOutcome,
  PersonalPart,
  PhasesUs,
} from './audit-record.js';
export { CaptureLevel } from './capture-level.js';
export {
  ConnectionKind,
  ConnectShared,
  HandOverConnection,
  isKept,
  isOfPerson,
  KeptFields,
  KeptKind,
  PutCredentialForm,
  PutDiscoveredProvider,
  PutProvider,
  PutUpstreamAuth,
  TurnClientKeys,
  UpstreamAuthKind,
} from './connection-bodies.js';
export { type ClientCertificate, LeasedCredential, UpstreamCredential } from './leased-credential.js';
export { CREDENTIAL_BYTES_MAX, PutProviderCredential, PutStaticCredential } from './credential-bodies.js';
export {
  AllowRule,
  CUSTOM_BOUNDS,
  CustomDictionary,
  CustomId,
  CustomPattern,
  CustomRules,
  ExactList,
  ExactShape,
} from './custom-rules.js';
export { FindingCategory } from './finding-category.js';
export { ACTION_RULES_MAX, ActionRule, ActionRules, ActionWord, DetectorPattern } from './action-rules.js';
export {
  AcceptDefinitions,
  ChangeActions,
  ChangeCustomRules,
  ChangeRulePack,
  CheckGuardrails,
  RejectDefinition,
} from './guardrail-bodies.js';
export {
  ChangePrincipal,
  CreatePrincipal,
  IdentityPage,
  IdentityTokenPage,
  IssueOwnToken,
  IssueToken,
  RotateToken,
} from './identity-bodies.js';
export { ChangeServiceAccount, CreateServiceAccount, IssueSecret, SetKeys } from './service-account-bodies.js';
export { ADMIN_PATH, ADMIN_SCOPE, OAUTH_SCOPE } from './oauth-scope.js';
export { Pepper } from './pepper.js';
export { ExplainRequest } from './policy-bodies.js';
export {
  CallLimit,
  DefinitionRule,
  Grant,
  GuardrailAction,
  GuardrailActions,
  PolicyDocument,
  Upstream,
  VirtualServer,
  VirtualServerTool,
} from './policy-document.js';
export { Name, ToolPattern } from './policy-names.js';
export { FlowRecord } from './flow-record.js';
export {
  GuardrailProvider,
  PROVIDER_SECRET,
  ProviderAction,
  ProviderDirection,
  ProviderError,
  providerOfUpstream,
  ProviderRecord,
  providerUpstream,
  ProviderUse,
  SightingKind,
} from './guardrail-providers.js';
export { FlowLabel, FlowPreset, FlowSettings, UpstreamFlow } from './flow-settings.js';
export { quickCheck } from './quick-check.js';
export { ControlState, HEARTBEAT_KEY, MARK_KEY, MARKER_KEY_PREFIX, StateVersion } from './state.js';
export {
  EVERY_SERVICE,
  FOR_EVER,
  isSignedTopic,
  type ReaderName,
  REGISTRAR,
  ServiceName,
  type Topic,
} from './topic.js';
export { ApprovalAnswered, approvalAnsweredTopic } from './topics/approval-answered.js';
export { ApprovalDecided, approvalDecidedTopic } from './topics/approval-decided.js';
export { ApprovalRequested, approvalRequestedTopic } from './topics/approval-requested.js';
export { AuditCheckpoint, auditCheckpointTopic, CHECKPOINT_LEAVES_MAX } from './topics/audit-checkpoint.js';
export { AuditOcsfEvent, auditOcsfTopic } from './topics/audit-ocsf.js';
export { AuditDeadLetter, auditDeadLetterTopic, auditRecordedTopic } from './topics/audit-recorded.js';
export { AuditExportDeadLetter, auditExportDeadLetterTopic } from './topics/audit-export-dead-letter.js';
export { CallCancelled, callCancelledTopic } from './topics/call-cancelled.js';
export {
  AccountConnectionState,
  ConnectionState,
  connectionStateTopic,
  isStaticConnection,
  StaticConnectionState,
} from './topics/connection-state.js';
export { EVERY_TOPIC } from './topics/every-topic.js';
export { GrantState, grantStateTopic } from './topics/grant-state.js';
export { GuardrailRulesState, guardrailRulesStateTopic } from './topics/guardrail-rules-state.js';
export { LeaseGranted, leaseGrantedTopic, LeaseRefusal, SealedLease } from './topics/lease-granted.js';
export { LeaseRequested, leaseRequestedTopic, SealingKey } from './topics/lease-requested.js';
export { NodeAnnounced, nodeAnnouncedTopic } from './topics/node-announced.js';
export { NODE_GONE_AFTER_MS, NodeApplied, nodeAppliedTopic } from './topics/node-applied.js';
export { NodeEnrolled, nodeEnrolledTopic } from './topics/node-enrolled.js';
export { POLICY_READER, POLICY_SNAPSHOT_KEY, PolicySnapshot, policySnapshotTopic } from './topics/policy-snapshot.js';
export { CANARY_PRINCIPAL_ID, PrincipalState, principalStateTopic, Role } from './topics/principal-state.js';
export { RunState, runStateTopic } from './topics/run-state.js';
export { SigningKeyState, signingKeyStateTopic } from './topics/signing-key-state.js';
export { TokenScopes, TokenState, tokenStateTopic } from './topics/token-state.js';
export { TOKEN_USES_MAX, type TokenUse, TokenUsed, tokenUsedTopic } from './topics/token-used.js';
export {
  isNameable,
  ToolDefinition,
  toolDefinitionDiscoveredTopic,
  UpstreamCatalogue,
} from './topics/tool-definition-discovered.js';
export {
  DefinitionHash,
  DefinitionVerdicts,
  toolDefinitionVerdictTopic,
  ToolVerdict,
  VERDICT_HASHES_MAX,
} from './topics/tool-definition-verdict.js';
export {
  TRUSTED_ALGORITHMS,
  TRUSTED_ISSUER_KEY,
  TrustedIssuerState,
  trustedIssuerStateTopic,
  TrustedKey,
} from './topics/trusted-issuer-state.js';
export { UpstreamAuthState, upstreamAuthStateTopic } from './topics/upstream-auth-state.js';
