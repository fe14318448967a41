import { z } from 'zod';
import type { Topic } from '../topic.js';

/** What every OCSF event of ours has, whatever its class; `libs/siem-format` says the rest. */
export const AuditOcsfEvent = z.looseObject({
  class_uid: z.int(),
  category_uid: z.int(),
  activity_id: z.int(),
  type_uid: z.int(),
  severity_id: z.int(),
  status_id: z.int(),
  /** Milliseconds since 1970. */
  time: z.int(),
  metadata: z.looseObject({
    /** Of the schema. */
    version: z.string(),
    product: z.looseObject({ name: z.string(), vendor_name: z.string(), version: z.string() }),
    profiles: z.array(z.string()),
    /** The record's id: what an event that comes twice is known by. */
    uid: z.string(),
    log_name: z.string(),
    sequence: z.int(),
  }),
  unmapped: z.looseObject({}),
});
export type AuditOcsfEvent = z.infer<typeof AuditOcsfEvent>;

/** For a SIEM that reads Kafka: each audit record as an OCSF 1.8.0 event, at least once. */
export const auditOcsfTopic: Topic<AuditOcsfEvent> = {
  name: 'warder.audit.ocsf.v1',
  key: 'record id',
  schema: AuditOcsfEvent,
  cleanup: 'delete',
  partitions: 6,
  retentionMs: 604_800_000,
  messageBytesMax: 1_048_576,
  writers: ['audit'],
  readers: ['siem'],
  example: {
    metadata: {
      version: '1.8.0',
      product: {
        name: 'Warder',
        vendor_name: 'Warder',
        version: '0.1.0',
      },
      profiles: ['ai_operation', 'security_control'],
      uid: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
      event_code: 'call',
      log_name: 'ingress-1/0',
      log_provider: 'Warder',
      log_source: 'ingress-1',
      log_version: '2',
      sequence: 42,
    },
    time: 1_790_000_000_000,
    duration: 0,
    class_uid: 6003,
    class_name: 'API Activity',
    category_uid: 6,
    category_name: 'Application Activity',
    activity_id: 99,
    activity_name: 'tools/call',
    type_uid: 600_399,
    type_name: 'API Activity: Other',
    severity_id: 1,
    severity: 'Informational',
    status_id: 1,
    status: 'Success',
    count: 1,
    action_id: 1,
    action: 'Allowed',
    disposition_id: 1,
    disposition: 'Allowed',
    policy: {
      uid: 'guardrails',
      name: 'Guardrails',
      version: '3',
    },
    unmapped: {
      kind: 'call',
      decision: 'permit',
      outcome: 'success',
      is_error: false,
      capture: 'full',
      commitment: '25b5517e958f7787d4dc4186b4c7b33e2d529e0a0110926efbbc333ad0abd401',
      principal_kind: 'human',
      agent_kind: 'pat',
      virtual_server: 'dev',
      exposed_name: 'everything__echo',
      definition_hash: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
      guardrails_version: 3,
      phases_us: {
        identify: 3,
        upstream: 812,
        total: 934,
      },
      arguments: {
        bytes: 16,
      },
      result: {
        bytes: 47,
      },
    },
    message: 'call everything/echo permit success',
    actor: {
      user: {
        uid: 'usr_01jd3x7k',
        name: 'Ana Ortiz',
        email_addr: 'ana@example.com',
        type_id: 1,
        type: 'User',
        groups: [
          {
            name: 'developers',
          },
        ],
        programmatic_credentials: [
          {
            uid: 'pat_01jd3x9q',
            type: 'pat',
          },
        ],
      },
      app_uid: 'pat_01jd3x9q',
      app_name: 'laptop',
      authorizations: [
        {
          decision: 'permit',
          policy: {
            uid: 'developers',
            name: 'Access policy',
            version: '7',
          },
        },
      ],
    },
    api: {
      operation: 'tools/call',
      version: '2026-07-28',
      service: {
        name: 'everything',
      },
      group: {
        name: 'dev',
      },
      request: {
        uid: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
        data: {
          message: 'hi',
        },
      },
      response: {
        data: {
          content: [
            {
              type: 'text',
              text: 'Echo: hi',
            },
          ],
        },
      },
      token: {
        uid: 'pat_01jd3x9q',
        name: 'laptop',
        type_id: 7,
        type: 'API Token',
      },
    },
    src_endpoint: {
      ip: '10.1.2.3',
    },
    dst_endpoint: {
      svc_name: 'everything',
    },
    resources: [
      {
        uid: 'everything/echo',
        name: 'echo',
        type: 'MCP tool',
        namespace: 'everything',
        version: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
        uid_alt: 'everything__echo',
      },
    ],
    message_context: {
      uid: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
      ai_role_id: 3,
      ai_role: 'Tool',
      service: {
        name: 'dev',
      },
      application: {
        name: 'claude-code',
        version: '2.1.317',
      },
    },
  },
};
