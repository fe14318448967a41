import type { FlowPreset, FlowSettings } from '@warder/contracts';
import { type CriticalValue, criticalValues } from './critical-values.js';
import { has, LABEL_BIT } from './labels.js';
import { walkLeaves } from './leaves.js';
import { type FlowSource, hashOf, type Run } from './run.js';

/** Values of one call's arguments that are looked up; a call with more is decided on as if one of them was read. */
const ARGUMENT_VALUES_MAX = 64;
/** Characters of them that are looked at; the same of more. */
const ARGUMENT_CHARS_MAX = 65_536;

export interface FlowRules {
  readonly preset: FlowPreset;
  readonly mode: 'off' | 'flag' | 'enforce';
  readonly allow: FlowSettings['allow'];
  /** Of the deployment; under it values are hashed. */
  readonly key: string;
}

export interface FlowCall {
  /** Labels of the tool, as bits. */
  readonly bits: number;
  readonly args: unknown;
}

export interface FlowDecision {
  readonly action: 'allow' | 'flag' | 'approve' | 'block';
  /** `flow.<preset>.<why>`, empty where nothing is said. */
  readonly rule: string;
  /** Ours, for people; nothing of the call stands in it. */
  readonly reason: string;
  /** The calls that brought what this one follows from, the oldest first. */
  readonly chain: readonly FlowSource[];
}

const ALLOWED: FlowDecision = { action: 'allow', rule: '', reason: '', chain: [] };

interface Held {
  readonly why: string;
  readonly reason: string;
  readonly chain: readonly FlowSource[];
}

/**
 * Whether a call may follow what its run has seen. Reads the run, and notes values that a clean run brings itself.
 * An unknown run counts as one that has read everything.
 */
export function decide(run: Run, call: FlowCall, rules: FlowRules): FlowDecision {
  if (rules.mode === 'off') return ALLOWED;
  const held = judge(run, call, rules);
  if (held === undefined) return ALLOWED;
  return {
    action: actionOf(call.bits, rules),
    rule: `flow.${rules.preset}.${held.why}`,
    reason: held.reason,
    chain: held.chain,
  };
}

/**
 * What an operator labelled `destructive` waits for a human in both modes: the label says that there is no way back.
 */
function actionOf(bits: number, { preset, mode }: FlowRules): 'flag' | 'approve' | 'block' {
  if (mode === 'flag') return has(bits, 'destructive') ? 'approve' : 'flag';
  return preset === 'strict' ? 'block' : 'approve';
}

function judge(run: Run, { bits, args }: FlowCall, rules: FlowRules): Held | undefined {
  const isTainted = run.isUnknown || has(run.bits, 'untrusted');
  if (!isTainted) {
    noteOwn(run, args, rules.key);
    return undefined;
  }
  if ((bits & (LABEL_BIT.external | LABEL_BIT.destructive | LABEL_BIT.write)) === 0) return undefined;
  const chain = run.sources;
  if (rules.preset === 'strict') return { why: 'sink', reason: 'it acts after untrusted content was read', chain };
  if (rules.preset === 'exfiltration') {
    const isPrivate = run.isUnknown || has(run.bits, 'private');
    if (!isPrivate || !has(bits, 'external')) return undefined;
    return { why: 'private-to-external', reason: 'it sends out after private and untrusted content was read', chain };
  }
  if (has(bits, 'destructive'))
    return { why: 'destructive', reason: 'it cannot be undone, and untrusted content was read', chain };
  return echoOf(run, args, rules);
}

/** A value that says where the call goes, and that an untrusted answer brought. */
function echoOf(run: Run, args: unknown, rules: FlowRules): Held | undefined {
  const reason = 'what it acts on was named by untrusted content';
  if (run.isUnknown) return { why: 'unknown-run', reason: 'what this run has read is not known', chain: run.sources };
  let looked = 0;
  let charsLeft = ARGUMENT_CHARS_MAX;
  let source: number | undefined;
  const isWhole = walkLeaves(args, (text) => {
    charsLeft -= text.length;
    if (source !== undefined || charsLeft < 0) return;
    for (const value of criticalValues(text)) {
      looked += 1;
      if (looked > ARGUMENT_VALUES_MAX || isAllowed(value, rules.allow)) continue;
      source = namedBy(run, value, rules.key);
      if (source !== undefined) return;
    }
  });
  if (source !== undefined) {
    const from = run.sources[source];
    return { why: 'echo', reason, chain: from === undefined ? run.sources : [from] };
  }
  if (isWhole && looked <= ARGUMENT_VALUES_MAX && charsLeft >= 0) return undefined;
  return {
    why: 'too-much',
    reason: 'it names more than can be looked at, and untrusted content was read',
    chain: run.sources,
  };
}

/** Which answer named the value, or a host that it is below of; none for what the run used before it read anything. */
function namedBy(run: Run, value: CriticalValue, key: string): number | undefined {
  if (run.own.has(hashOf(key, value))) return undefined;
  for (const target of targetsOf(value)) {
    const hash = hashOf(key, target);
    const at = run.own.has(hash) ? undefined : run.values.get(hash);
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Labels of a host that are taken off, for what is sent can stand in one: a page says only what it ends in. */
const LABELS_MAX = 8;

/** A value, of an address also its host, and of a host those above it, which a page may have named alone. */
function* targetsOf(value: CriticalValue): Generator<CriticalValue> {
  yield value;
  if (!value.startsWith('email:') && !value.startsWith('host:')) return;
  const host = value.slice(Math.max(value.indexOf(':'), value.lastIndexOf('@')) + 1);
  if (value.startsWith('email:')) yield `host:${host}`;
  const labels = host.split('.');
  if (/^\d+$/.test(labels.at(-1) ?? '')) return; // an IP address
  for (let at = Math.max(1, labels.length - 1 - LABELS_MAX); at < labels.length - 1; at += 1)
    yield `host:${labels.slice(at).join('.')}`;
}

function isAllowed(value: CriticalValue, allow: FlowSettings['allow']): boolean {
  const colon = value.indexOf(':');
  const name = value.slice(colon + 1);
  if (allow.recipients.some((recipient) => recipient.toLowerCase() === name.toLowerCase())) return true;
  if (!value.startsWith('email:') && !value.startsWith('host:')) return false;
  const host = name.slice(name.indexOf('@') + 1);
  return allow.domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

function noteOwn(run: Run, args: unknown, key: string): void {
  let charsLeft = ARGUMENT_CHARS_MAX;
  walkLeaves(args, (text) => {
    charsLeft -= text.length;
    if (charsLeft < 0) return;
    for (const value of criticalValues(text)) if (run.own.size < ARGUMENT_VALUES_MAX) run.own.add(hashOf(key, value));
  });
}
