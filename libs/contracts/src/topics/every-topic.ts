import type { Topic } from '../topic.js';
import { approvalAnsweredTopic } from './approval-answered.js';
import { approvalDecidedTopic } from './approval-decided.js';
import { approvalRequestedTopic } from './approval-requested.js';
import { auditCheckpointTopic } from './audit-checkpoint.js';
import { auditExportDeadLetterTopic } from './audit-export-dead-letter.js';
import { auditOcsfTopic } from './audit-ocsf.js';
import { auditDeadLetterTopic, auditRecordedTopic } from './audit-recorded.js';
import { callCancelledTopic } from './call-cancelled.js';
import { connectionStateTopic } from './connection-state.js';
import { grantStateTopic } from './grant-state.js';
import { guardrailRulesStateTopic } from './guardrail-rules-state.js';
import { leaseGrantedTopic } from './lease-granted.js';
import { leaseRequestedTopic } from './lease-requested.js';
import { nodeAnnouncedTopic } from './node-announced.js';
import { nodeAppliedTopic } from './node-applied.js';
import { nodeEnrolledTopic } from './node-enrolled.js';
import { policySnapshotTopic } from './policy-snapshot.js';
import { principalStateTopic } from './principal-state.js';
import { runStateTopic } from './run-state.js';
import { signingKeyStateTopic } from './signing-key-state.js';
import { tokenStateTopic } from './token-state.js';
import { tokenUsedTopic } from './token-used.js';
import { toolDefinitionDiscoveredTopic } from './tool-definition-discovered.js';
import { toolDefinitionVerdictTopic } from './tool-definition-verdict.js';
import { trustedIssuerStateTopic } from './trusted-issuer-state.js';
import { upstreamAuthStateTopic } from './upstream-auth-state.js';

/** All topics of the bus: what a cluster's setup makes, and from which it derives who may write and read what. */
export const EVERY_TOPIC: readonly Topic<unknown>[] = [
  approvalAnsweredTopic,
  approvalDecidedTopic,
  approvalRequestedTopic,
  auditRecordedTopic,
  auditDeadLetterTopic,
  auditOcsfTopic,
  auditCheckpointTopic,
  auditExportDeadLetterTopic,
  callCancelledTopic,
  connectionStateTopic,
  grantStateTopic,
  guardrailRulesStateTopic,
  leaseGrantedTopic,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeAppliedTopic,
  nodeEnrolledTopic,
  policySnapshotTopic,
  principalStateTopic,
  runStateTopic,
  signingKeyStateTopic,
  tokenStateTopic,
  tokenUsedTopic,
  toolDefinitionDiscoveredTopic,
  toolDefinitionVerdictTopic,
  trustedIssuerStateTopic,
  upstreamAuthStateTopic,
];
