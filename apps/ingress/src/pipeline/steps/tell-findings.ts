import { isObject, type ServerFace, stringifyJson } from '@warder/mcp-wire';
import type { Released } from '../call.js';
import { annotated, annotatedError } from '../finding-notice.js';

/**
 * Tells the agent of what was flagged in the answer, in front of it. The record keeps the answer without that, for places
 * of findings point into what the upstream said.
 */
export function tellFindings(call: Released, face: ServerFace): Released['released'] {
  const { released, findings, revision } = call;
  if (findings.length === 0) return released;
  const { value, text: recordText, member } = released;
  if (member === 'error') {
    const told = annotatedError(value, findings);
    return told === value ? released : { ...released, text: stringifyJson(told), recordText };
  }
  const result = isObject(value) ? value : {};
  const told = annotated(result, findings);
  return told === result ? released : { ...released, text: revision.encodeResult(told, face.server), recordText };
}
