import type { RawEntry } from '@warder/bus';
import { hash } from 'node:crypto';
import { prose, seededRandom } from '../prose.js';

/** How many of each there are; a person has a credential for each of two machines. */
export const POPULATION = { principals: 2_000, upstreams: 24, toolsPerUpstream: 8, personalUpstreams: 4 } as const;
/** Agents that are at work at one time, and how many calls one of them makes at least and at most. */
const SESSIONS = { open: 200, callsMin: 5, callsMax: 75 } as const;
/** Characters of an answer. Arguments are shorter; both are cut from one long text, for prose is dear to make. */
const TEXT_CHARACTERS = { arguments: 150, result: 190, book: 65_536 } as const;
const FORBIDDEN_SHARE = 0.03;
const FAILED_SHARE = 0.04;
/** The log that the records are numbered in. */
export const LOG = 'bench-1/0';

/** What a record is of, in numbers. */
export interface Use {
  readonly principal: number;
  readonly machine: number;
  readonly upstream: number;
  readonly tool: number;
}

interface Session extends Omit<Use, 'tool'> {
  callsLeft: number;
}

/**
 * Makes records of calls as the journal of an ingress node writes them, 1.7 to 1.8 KB of text each, the same ones for
 * the same seed: 200 agents at work at a time, each of them a person's on one upstream for some tens of calls. Upstreams
 * and tools are chosen unevenly: the first ones most.
 */
export class RecordGenerator {
  private readonly random: () => number;
  private readonly book: string;
  private readonly sessions: Session[];
  private sequence = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.book = prose(this.random, TEXT_CHARACTERS.book);
    this.sessions = Array.from({ length: SESSIONS.open }, () => this.session());
  }

  /** The next record. @param occurredAtMs - whole milliseconds */
  next(occurredAtMs: number): RawEntry {
    const at = this.below(this.sessions.length);
    const session = this.sessions[at]!;
    if (session.callsLeft-- <= 0) this.sessions[at] = this.session();
    const tool = this.uneven(POPULATION.toolsPerUpstream);
    return this.record({ ...session, tool }, occurredAtMs);
  }

  private record({ principal, machine, upstream, tool }: Use, occurredAtMs: number): RawEntry {
    const sequence = ++this.sequence;
    const recordId = this.recordId(occurredAtMs);
    const chance = this.random();
    const isForbidden = chance < FORBIDDEN_SHARE;
    const isFailed = !isForbidden && chance < FORBIDDEN_SHARE + FAILED_SHARE;
    const value = { issue: this.below(100_000), query: this.text(TEXT_CHARACTERS.arguments), dryRun: chance > 0.5 };
    const personal = JSON.stringify({
      salt: Buffer.from(this.hex(32), 'hex').toString('base64url'),
      principal: { name: personName(principal), email: `person-${principal}@example.com` },
      agent: { name: machineName(machine) },
      claimed: { name: 'claude-code', version: '2.1.317' },
      address: `10.${principal % 250}.${machine}.${1 + (principal % 200)}`,
      arguments: { bytes: JSON.stringify(value).length, value },
      refusalDetail: isForbidden ? 'default deny' : null,
      result: isForbidden ? null : this.result(isFailed),
    });
    const core = JSON.stringify({
      log: LOG,
      sequence,
      index: sequence - 1,
      commitment: hash('sha256', personal),
      schemaVersion: 2,
      recordId,
      kind: 'call',
      occurredAtMs,
      node: 'bench-1',
      principal: { id: principalId(principal), kind: 'human', groups: ['developers', `team-${principal % 40}`] },
      actorChain: [],
      agent: { id: agentId(principal, machine), kind: 'pat' },
      verified: null,
      traceId: this.hex(32),
      method: 'tools/call',
      protocolVersion: '2026-07-28',
      virtualServer: `team-${principal % 40}`,
      upstream: upstreamName(upstream),
      tool: toolName(tool),
      exposedName: `${upstreamName(upstream)}__${toolName(tool)}`,
      definitionHash: hash('sha256', `${upstream}/${tool}`),
      policyVersion: 7,
      guardrailsVersion: 3,
      rule: isForbidden ? null : 'developers',
      capture: 'full',
      decision: isForbidden ? 'forbid' : 'permit',
      outcome: isForbidden || isFailed ? 'failure' : 'success',
      refusal: isForbidden ? { code: 'WDR_TOOL_UNKNOWN' } : null,
      isError: isFailed,
      findings: [],
      phasesUs: this.phases(),
      count: 1,
    });
    return { key: recordId, value: Buffer.from(`${core.slice(0, -1)},"personal":${personal}}`) };
  }

  private result(isError: boolean): object {
    const value = { content: [{ type: 'text', text: this.text(TEXT_CHARACTERS.result) }], ...(isError && { isError }) };
    return { bytes: JSON.stringify(value).length, value };
  }

  private phases(): Record<string, number> {
    const upstream = 400 + this.below(40_000);
    const own = { identify: 3, quota: 1, resolve: 2, authorize: 4, screenArguments: 11, credential: 2, record: 6 };
    return { ...own, upstream, screenResult: 14 + this.below(20), total: upstream + 60 + this.below(90) };
  }

  private session(): Session {
    const principal = this.below(POPULATION.principals);
    // A person works with few upstreams, and with the first of them most.
    const own = this.uneven(POPULATION.personalUpstreams);
    return {
      principal,
      machine: this.below(2),
      upstream: own === 0 ? 0 : (principal * 7 + own * 5) % POPULATION.upstreams,
      callsLeft: SESSIONS.callsMin + this.below(SESSIONS.callsMax - SESSIONS.callsMin),
    };
  }

  /** UUIDv7 (RFC 9562 section 5.7) of the time. */
  private recordId(atMs: number): string {
    const time = atMs.toString(16).padStart(12, '0');
    const rest = this.hex(18);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}`;
  }

  private hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.below(0x1_0000_0000).toString(16).padStart(8, '0');
    return text.slice(0, digits);
  }

  private text(characters: number): string {
    const from = this.below(TEXT_CHARACTERS.book - characters);
    return this.book.slice(from, from + characters);
  }

  private below(bound: number): number {
    return Math.floor(this.random() * bound);
  }

  /** 0 to bound - 1, the small ones more often: the square of an even share. */
  private uneven(bound: number): number {
    return Math.floor(this.random() ** 2 * bound);
  }
}

export const principalId = (principal: number): string => `usr_bench_${String(principal).padStart(5, '0')}`;
export const agentId = (principal: number, machine: number): string => `pat_bench_${principal}_${machine}`;
export const personName = (principal: number): string => `Bench Person ${principal}`;
export const machineName = (machine: number): string => ['laptop', 'workstation'][machine] ?? 'machine';
export const upstreamName = (upstream: number): string => `upstream-${String(upstream).padStart(2, '0')}`;
export const toolName = (tool: number): string => `tool_${tool}`;
