import type { KeyListener } from './json-scan.js';

const TOP = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const PARAMS = new Set(['name', 'arguments', '_meta', 'uri', 'cursor', 'protocolversion']);

// Folds as lenient parsers do (Go's encoding/json takes "argumentſ" for "arguments").
const fold = (key: string): string => key.toLowerCase().toUpperCase();
const foldedTop = new Map([...TOP].map((key) => [fold(key), key]));
const foldedParams = new Map(
  [...PARAMS].map((key) => [fold(key), key === 'protocolversion' ? 'protocolVersion' : key]),
);

/**
 * Watches the keys of one JSON-RPC message while it is scanned. A key that stands twice, or in another case than the
 * protocol's, is read differently by different parsers: what we inspect and what an upstream obeys would differ.
 */
export class EnvelopeKeys {
  /** The first offending key, as one sentence for the client. */
  problem: string | undefined;
  private readonly top = new Set<string>();
  private readonly params = new Set<string>();
  private readonly meta = new Set<string>();
  private topKey = '';
  private paramsKey = '';

  readonly onKey: KeyListener = (depth, text) => {
    const key = text.includes('\\') ? decode(text) : text.slice(1, -1);
    if (depth === 1) {
      this.topKey = key;
      this.check(key, this.top, foldedTop, 'the message');
    } else if (this.topKey === 'params' && depth === 2) {
      this.paramsKey = key;
      this.check(key, this.params, foldedParams, 'params');
    } else if (this.topKey === 'params' && this.paramsKey === '_meta' && depth === 3) {
      this.check(key, this.meta, undefined, '_meta');
    }
  };

  private check(key: string, seen: Set<string>, folded: Map<string, string> | undefined, place: string): void {
    if (this.problem !== undefined) return;
    if (seen.has(key)) this.problem = `Invalid Request: a key of ${place} stands twice`;
    seen.add(key);
    const proper = folded?.get(fold(key));
    if (proper !== undefined && proper !== key) {
      this.problem = `Invalid Request: a key of ${place} must be written "${proper}"`;
    }
  }
}

function decode(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}
