import { describe, expect, it } from 'vitest';
import {
  auditCheckpointTopic,
  auditDeadLetterTopic,
  auditOcsfTopic,
  auditRecordedTopic,
  callCancelledTopic,
  connectionStateTopic,
  guardrailRulesStateTopic,
  leaseGrantedTopic,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeAppliedTopic,
  nodeEnrolledTopic,
  PolicyDocument,
  policySnapshotTopic,
  principalStateTopic,
  tokenStateTopic,
  tokenUsedTopic,
  toolDefinitionDiscoveredTopic,
} from './index.js';

const topics = [
  auditCheckpointTopic,
  auditDeadLetterTopic,
  auditOcsfTopic,
  auditRecordedTopic,
  callCancelledTopic,
  connectionStateTopic,
  guardrailRulesStateTopic,
  leaseGrantedTopic,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeAppliedTopic,
  nodeEnrolledTopic,
  policySnapshotTopic,
  principalStateTopic,
  tokenStateTopic,
  tokenUsedTopic,
  toolDefinitionDiscoveredTopic,
];

describe('the topics', () => {
  it.each(topics)('$name is versioned and its example is what its schema says', (topic) => {
    expect(topic.name).toMatch(/^warder\.[a-z.-]+\.v1(\.dead-letter)?$/);
    expect(topic.schema.parse(topic.example)).toEqual(topic.example);
    expect(topic.writers.length).toBeGreaterThan(0);
  });

  it('keeps state compacted and events for a time', () => {
    for (const topic of topics) expect(topic.retentionMs === null).toBe(topic.cleanup === 'compact');
  });
});

describe('a policy document', () => {
  it('refuses an unknown key and names it', () => {
    const parsed = PolicyDocument.safeParse({ grant: [] });
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['grant'] });
  });

  it('permits nothing by default', () => {
    expect(PolicyDocument.parse({})).toEqual({
      upstreams: {},
      virtualServers: {},
      grants: [],
      limit: { callsPerMinute: 600, burst: 120 },
    });
  });
});
