import type { Bus } from '@warder/bus';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError, ConfigError } from '@warder/service-host';
import { describeProblem } from './document/document-problem.js';
import { PolicyFileError, readPolicyFile } from './document/policy-file.js';
import { readDocument } from './document/read-document.js';
import type { PolicyStore, StoredPolicy } from './policy.store.js';

/** The service itself, where nobody asked: at its start. */
const SERVICE: AdminActor = { principal: null, token: null, address: '' };
const PROBLEMS_TOLD = 20;

/** What `PUT` answers; `appliedEverywhere` only where the caller waited. */
export interface PolicyReplaced {
  readonly version: number;
  readonly appliedEverywhere?: boolean;
}

/** The policy's life: from a file or from the API, one document in force at a time. */
export class PolicyAdministration {
  constructor(
    private readonly store: PolicyStore,
    private readonly outbox: Outbox,
    private readonly bus: Bus,
    private readonly policyFile: string | undefined,
  ) {}

  /**
   * Brings the database to what the file says, or to an empty first version, and publishes what is in force.
   * @throws ConfigError when the file is not a policy
   */
  async start(): Promise<void> {
    const current = await this.store.current();
    const wanted = this.policyFile === undefined ? undefined : documentOfFile(this.policyFile);
    if (wanted === undefined && current) return this.store.republish();
    const isSame = current !== undefined && JSON.stringify(current.document) === JSON.stringify(wanted);
    if (isSame) return this.store.republish();
    const document = wanted ?? PolicyDocument.parse({});
    const origin = wanted === undefined ? 'initial' : 'file';
    await this.store.replace({ document, origin, expectedVersion: undefined, by: SERVICE });
  }

  /** Publishes what is in force once more. */
  republish(): Promise<void> {
    return this.store.republish();
  }

  /** Answers for the topic once everything committed is on it; waits as long as the bus is away. */
  async own(): Promise<void> {
    await this.outbox.drained([policySnapshotTopic]);
    await this.bus.own(policySnapshotTopic);
  }

  /** @throws AdminError 503 WDR_POLICY_NOT_READY before the first version */
  async current(): Promise<StoredPolicy> {
    const stored = await this.store.current();
    if (!stored) throw new AdminError(503, 'WDR_POLICY_NOT_READY', 'no policy was published yet');
    return stored;
  }

  /**
   * Replaces the whole document.
   * @param expectedVersion - tells the version that the caller saw; `undefined` replaces whatever is there
   * @param waitMs - how long to wait for every ingress node to apply it; `undefined` does not wait
   * @throws AdminError 409 WDR_POLICY_FROM_FILE, 400 WDR_BODY_INVALID for its form, 400 WDR_POLICY_INVALID for what it
   * refers to, and what `PolicyStore.replace` throws
   */
  async replace(
    body: unknown,
    expectedVersion: () => number | undefined,
    by: AdminActor,
    waitMs: number | undefined,
  ): Promise<PolicyReplaced> {
    if (this.policyFile !== undefined)
      throw new AdminError(409, 'WDR_POLICY_FROM_FILE', 'this policy comes from a file on the node: change it there');
    const expected = expectedVersion();
    const document = documentOfBody(body);
    const { version } = await this.store.replace({ document, origin: 'api', expectedVersion: expected, by });
    if (waitMs === undefined) return { version };
    return {
      version,
      appliedEverywhere: await this.bus.everyNodeApplied(policySnapshotTopic, 'ingress', version, waitMs),
    };
  }
}

function documentOfFile(file: string): PolicyDocument {
  try {
    return readPolicyFile(file);
  } catch (error) {
    if (error instanceof PolicyFileError) throw new ConfigError(error.problems.slice(0, PROBLEMS_TOLD).join('; '));
    throw error;
  }
}

function documentOfBody(body: unknown): PolicyDocument {
  const { document, problems, wrong } = readDocument(body);
  if (document !== undefined) return document;
  const code = wrong === 'form' ? 'WDR_BODY_INVALID' : 'WDR_POLICY_INVALID';
  throw new AdminError(400, code, problems.slice(0, PROBLEMS_TOLD).map(describeProblem).join('; '));
}
