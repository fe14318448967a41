import { createHash } from 'node:crypto';
import { type ApprovalRequested, CAPTURE_BYTES_MAX, type Capture, type GuardrailActions } from '@warder/contracts';
import { stringifyJson } from '@warder/mcp-wire';
import { isClientGrant } from '@warder/tokens';
import type { Credentialed } from '../pipeline/call.js';
import type { Guardrails } from '../pipeline/gateway.js';
import { canonicalJson } from './canonical-json.js';

/** Whoever decides has to see an address that mail would go to, but no secret that would open something. */
const SHOWN_ACTIONS: GuardrailActions = { secret: 'redact', pii: 'off', injection: 'off', hidden: 'off' };

type Bound = Omit<ApprovalRequested, 'requestId' | 'node' | 'atMs' | 'answerByMs' | 'arguments' | 'holds' | 'terms'>;

/** What an approval of the call is bound to: who by which credential and in which run, which tool, and what is sent. */
export function boundOf(call: Credentialed): Bound {
  const { principal, token, target, virtualServer } = call;
  const argumentsDigest = digestOf(canonicalJson(sentOf(call)));
  const grant = isClientGrant(token) ? token : undefined;
  const actors = (grant?.actors ?? []).map(({ id, kind }) => ({ id, kind }));
  const agent = { id: token.id, kind: grant?.kind ?? 'pat', name: token.name };
  // Where the flow policy is off nothing tells runs apart.
  const run = call.run?.name ?? '';
  const { upstream, tool, definitionHash } = target;
  const binding = digestOf(
    canonicalJson([
      principal.id,
      agent.id,
      actors,
      run,
      virtualServer,
      upstream,
      tool,
      definitionHash,
      argumentsDigest,
    ]),
  );
  return {
    binding,
    principalId: principal.id,
    agent,
    actors,
    run,
    virtualServer,
    upstream,
    tool,
    definitionHash,
    policyVersion: call.policyVersion,
    guardrailsVersion: call.guardrailsVersion,
    argumentsDigest,
  };
}

/** What is sent, as people are shown it: without secrets, whatever the virtual server lets pass. */
export function shownArguments(call: Credentialed, guardrails: Guardrails): Capture {
  const { value } = guardrails.screen(sentOf(call), 'request', SHOWN_ACTIONS);
  const text = stringifyJson(value);
  const bytes = Buffer.byteLength(text);
  const parsed = JSON.parse(text) as unknown;
  // A number that a double cannot hold would be shown as another one: such arguments are shown as they are written.
  if (bytes <= CAPTURE_BYTES_MAX && JSON.stringify(parsed) === text) return { bytes, value: parsed };
  const head = Buffer.from(text).subarray(0, CAPTURE_BYTES_MAX).toString('utf8');
  return { bytes, head, sha256: digestOf(text) };
}

/** Clients put a new id into `_meta` of every call, so it cannot be bound, and is not sent with a call that was held. */
function sentOf({ cleanArgs }: Credentialed): unknown {
  return { arguments: cleanArgs };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
