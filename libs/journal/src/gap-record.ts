import { randomBytes } from 'node:crypto';

/** Sequence numbers, both ends included. */
export interface LostRange {
  readonly from: number;
  readonly to: number;
}

/** What a gap record tells: how many records are missing, and what is known of them. */
export interface Gap {
  readonly node: string;
  readonly atMs: number;
  readonly count: number;
  /** Members of the value: `lostFrom` and `lostTo`, or times and codes. */
  readonly told: Readonly<Record<string, unknown>>;
}

const KIND_MARK = '"kind":"gap"';

/** The text of a record of kind `gap`, as a journal takes it: a record that tells of others which are not there. */
export function gapRecordText({ node, atMs, count, told }: Gap): string {
  const value = JSON.stringify(told);
  return JSON.stringify({
    schemaVersion: 2,
    recordId: recordId(atMs),
    kind: 'gap',
    occurredAtMs: Math.floor(atMs),
    node,
    principal: null,
    actorChain: [],
    agent: null,
    verified: null,
    traceId: null,
    method: '',
    protocolVersion: null,
    virtualServer: null,
    upstream: null,
    tool: null,
    exposedName: null,
    definitionHash: null,
    policyVersion: null,
    guardrailsVersion: null,
    rule: null,
    capture: 'full',
    decision: 'permit',
    outcome: 'unknown',
    refusal: null,
    isError: false,
    findings: [],
    phasesUs: {},
    count,
    personal: {
      salt: randomBytes(16).toString('base64url'),
      principal: null,
      agent: null,
      claimed: null,
      address: '',
      arguments: { bytes: Buffer.byteLength(value), value: told },
      refusalDetail: null,
      result: null,
    },
  });
}

/** The sequence numbers that a record tells to be lost; none for a record of another kind. */
export function lostRangesOf(payload: Buffer): LostRange[] {
  if (!payload.includes(KIND_MARK)) return [];
  // The mark may stand in what somebody sent as arguments, too.
  const record = JSON.parse(payload.toString('utf8')) as {
    kind?: unknown;
    personal?: { arguments?: { value?: { lostFrom?: unknown; lostTo?: unknown } } } | null;
  };
  const { lostFrom: from, lostTo: to } = record.personal?.arguments?.value ?? {};
  if (record.kind !== 'gap' || typeof from !== 'number' || typeof to !== 'number') return [];
  return [{ from, to }];
}

/**
 * A UUIDv7.
 * @see RFC 9562 section 5.7
 */
function recordId(nowMs: number): string {
  const random = randomBytes(9).toString('hex');
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-a${random.slice(3, 6)}-${random.slice(6, 18)}`;
}
