/**
 * Columns of a file and their types, as DuckDB's `json_transform` takes them. What two classes share has one type, so
 * that one query reads the files of all of them. An attribute that is not here would stay in `raw_data` only; the spec
 * compares this with the events.
 * @see OCSF schema 1.8.0
 */
const TEXT = 'VARCHAR';
const NUMBER = 'INTEGER';
const LONG = 'BIGINT';
const JSON_TEXT = 'JSON';

const USER = {
  uid: TEXT,
  name: TEXT,
  email_addr: TEXT,
  type_id: NUMBER,
  type: TEXT,
  groups: [{ name: TEXT }],
  programmatic_credentials: [{ uid: TEXT, type: TEXT }],
};

const ACTOR = {
  user: USER,
  app_uid: TEXT,
  app_name: TEXT,
  authorizations: [{ decision: TEXT, policy: { uid: TEXT, name: TEXT, version: TEXT } }],
};

/** What filters ask for is a column of each class, empty where the class has no such attribute. */
const SHARED = {
  actor: ACTOR,
  resources: [{ uid: TEXT, name: TEXT, type: TEXT, namespace: TEXT, version: TEXT, uid_alt: TEXT }],
  time: LONG,
  duration: LONG,
  class_uid: NUMBER,
  class_name: TEXT,
  category_uid: NUMBER,
  category_name: TEXT,
  activity_id: NUMBER,
  activity_name: TEXT,
  type_uid: LONG,
  type_name: TEXT,
  severity_id: NUMBER,
  severity: TEXT,
  status_id: NUMBER,
  status: TEXT,
  status_code: TEXT,
  status_detail: TEXT,
  count: LONG,
  message: TEXT,
  action_id: NUMBER,
  action: TEXT,
  disposition_id: NUMBER,
  disposition: TEXT,
  policy: { uid: TEXT, name: TEXT, version: TEXT },
  firewall_rule: { uid: TEXT, name: TEXT, category: TEXT, match_location: TEXT },
  metadata: {
    version: TEXT,
    product: { name: TEXT, vendor_name: TEXT, version: TEXT },
    profiles: [TEXT],
    uid: TEXT,
    correlation_uid: TEXT,
    event_code: TEXT,
    log_name: TEXT,
    log_provider: TEXT,
    log_source: TEXT,
    log_version: TEXT,
    sequence: LONG,
    is_truncated: 'BOOLEAN',
    untruncated_size: LONG,
  },
  api: {
    operation: TEXT,
    version: TEXT,
    service: { name: TEXT },
    group: { name: TEXT },
    request: { uid: TEXT, data: JSON_TEXT },
    response: { error: TEXT, error_message: TEXT, data: JSON_TEXT },
    token: { uid: TEXT, name: TEXT, type_id: NUMBER, type: TEXT },
  },
  src_endpoint: { ip: TEXT, name: TEXT },
  unmapped: {
    kind: TEXT,
    decision: TEXT,
    outcome: TEXT,
    is_error: 'BOOLEAN',
    capture: TEXT,
    index: LONG,
    commitment: TEXT,
    leaf_hash: TEXT,
    cut: JSON_TEXT,
    is_erased: 'BOOLEAN',
    principal_kind: TEXT,
    agent_kind: TEXT,
    actor_chain: JSON_TEXT,
    verified: JSON_TEXT,
    virtual_server: TEXT,
    exposed_name: TEXT,
    definition_hash: TEXT,
    guardrails_version: LONG,
    findings: JSON_TEXT,
    phases_us: JSON_TEXT,
    method: TEXT,
    protocol_version: TEXT,
    upstream: TEXT,
    tool: TEXT,
    claimed: { name: TEXT, version: TEXT },
    arguments: { bytes: LONG, sha256: TEXT, is_cut: 'BOOLEAN', data: JSON_TEXT },
    result: { bytes: LONG, sha256: TEXT, is_cut: 'BOOLEAN', data: JSON_TEXT },
  },
};

const OWN: Readonly<Record<number, object>> = {
  6003: {
    dst_endpoint: { svc_name: TEXT },
    message_context: {
      uid: TEXT,
      ai_role_id: NUMBER,
      ai_role: TEXT,
      service: { name: TEXT },
      application: { name: TEXT, version: TEXT },
    },
    trace: { uid: TEXT },
  },
  3002: {
    user: USER,
    service: { name: TEXT },
    auth_protocol_id: NUMBER,
    auth_protocol: TEXT,
    logon_type_id: NUMBER,
    logon_type: TEXT,
    is_remote: 'BOOLEAN',
  },
  3004: { entity: { name: TEXT, type_id: NUMBER, type: TEXT } },
  1008: {
    device: { hostname: TEXT, type_id: NUMBER, type: TEXT },
    log_name: TEXT,
    log_provider: TEXT,
    log_type_id: NUMBER,
    log_type: TEXT,
  },
};

/** Classes that records become. */
export const ARCHIVED_CLASSES: readonly number[] = Object.keys(OWN).map(Number);

/**
 * The structure of a class, as JSON.
 * @throws RangeError for a class that no record becomes
 */
export function ocsfStructure(classUid: number): string {
  const own = OWN[classUid];
  if (own === undefined) throw new RangeError(`no records of class ${classUid} are archived`);
  return JSON.stringify({ ...SHARED, ...own });
}
