import { z } from 'zod';
import { AuditRecord } from '../audit-record.js';
import { EVERY_SERVICE, type Topic } from '../topic.js';

/** Keyed by the call and not by its user: one noisy agent must not own a partition. */
export const auditRecordedTopic: Topic<AuditRecord> = {
  name: 'warder.audit.recorded.v1',
  key: 'record id',
  schema: AuditRecord,
  cleanup: 'delete',
  partitions: 6,
  retentionMs: 604_800_000,
  messageBytesMax: 1_048_576,
  writers: EVERY_SERVICE,
  readers: ['audit'],
  example: {
    log: 'ingress-1/0',
    sequence: 42,
    commitment: '25b5517e958f7787d4dc4186b4c7b33e2d529e0a0110926efbbc333ad0abd401',
    schemaVersion: 2,
    recordId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
    kind: 'call',
    occurredAtMs: 1_790_000_000_000,
    node: 'ingress-1',
    principal: { id: 'usr_01jd3x7k', kind: 'human', groups: ['developers'] },
    actorChain: [],
    agent: { id: 'pat_01jd3x9q', kind: 'pat' },
    verified: null,
    traceId: null,
    method: 'tools/call',
    protocolVersion: '2026-07-28',
    virtualServer: 'dev',
    upstream: 'everything',
    tool: 'echo',
    exposedName: 'everything__echo',
    definitionHash: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
    policyVersion: 7,
    guardrailsVersion: 3,
    rule: 'developers',
    capture: 'full',
    decision: 'permit',
    outcome: 'success',
    refusal: null,
    isError: false,
    findings: [],
    phasesUs: { identify: 3, upstream: 812, total: 934 },
    count: 1,
    personal: {
      salt: 'mR3vXo0bV1qk2yq9f1sZ4A',
      principal: { name: 'Ana Ortiz', email: 'ana@example.com' },
      agent: { name: 'laptop' },
      claimed: { name: 'claude-code', version: '2.1.317' },
      address: '10.1.2.3',
      arguments: { bytes: 16, value: { message: 'hi' } },
      refusalDetail: null,
      result: { bytes: 47, value: { content: [{ type: 'text', text: 'Echo: hi' }] } },
    },
  },
};

/** A record that the store would not take, as the bytes that came, base64; none of them where it has more than 1 MiB. */
export const AuditDeadLetter = z.object({
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  key: z.string().nullable(),
  value: z.string(),
  reason: z.string(),
  atMs: z.number(),
});
export type AuditDeadLetter = z.infer<typeof AuditDeadLetter>;

export const auditDeadLetterTopic: Topic<AuditDeadLetter> = {
  name: 'warder.audit.recorded.v1.dead-letter',
  key: 'record id, where it could be read',
  schema: AuditDeadLetter,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: 7_776_000_000,
  messageBytesMax: 2_097_152,
  writers: ['audit'],
  readers: ['audit'],
  example: {
    topic: 'warder.audit.recorded.v1',
    partition: 0,
    offset: '17',
    key: null,
    value: 'bm90IGpzb24=',
    reason: 'not JSON',
    atMs: 1_790_000_000_000,
  },
};
