import { hash } from 'node:crypto';
import type { CriticalValue } from './critical-values.js';

/** Values of untrusted answers that one run remembers. */
export const VALUES_MAX = 4_096;
/** Calls that one run remembers as having brought untrusted content. */
export const SOURCES_MAX = 16;

/** A call whose answer tainted a run: what stands in a chain. */
export interface FlowSource {
  readonly callId: string;
  /** Canonical, `upstream/tool`. */
  readonly tool: string;
  /** Of its labels, as bits. */
  readonly bits: number;
}

/**
 * What one run has seen: labels, and critical values as keyed hashes. No text of an answer is in it.
 * A run that is `isUnknown` is decided on as if it had read everything.
 */
export interface Run {
  bits: number;
  isUnknown: boolean;
  /** Keyed hash of a value, and the index in `sources` of the answer it came in first. */
  readonly values: Map<string, number>;
  /** Values that the run used before it had read anything: they came from whoever started it. */
  readonly own: Set<string>;
  readonly sources: FlowSource[];
}

/** A run that has seen nothing. */
export function newRun(): Run {
  return { bits: 0, isUnknown: false, values: new Map(), own: new Set(), sources: [] };
}

/** 96 bits of SHA-256 under a key of the deployment, base64url: whoever has the hash cannot try what it is of. */
export function hashOf(key: string, value: CriticalValue): string {
  return hash('sha256', `${key}\0${value}`, 'base64url').slice(0, 16);
}
