import type { Finding } from '@warder/contracts';
import type { Answered, Recorded } from '../call.js';
import { withoutCredential } from '../credential-mask.js';
import type { InterimMessage, Leases, PolicyView, Upstreams } from '../gateway.js';
import { Refusal } from '../refusal.js';

/** A server that changes its tools while one of them runs may have meant the call for another. */
const LIST_CHANGED: Finding = {
  detector: 'definition.list-changed-during-call',
  category: 'definition',
  action: 'flag',
  phase: 'response',
  place: '',
  count: 1,
};

type Sent = Pick<Answered, 'answer'>;

export interface UpstreamParts {
  readonly upstreams: Upstreams;
  readonly leases: Leases;
}

/**
 * The one step that acts on the world. It takes a `Recorded` call only. What was refused for its credential did nothing, and
 * is sent once more where there is another lease: a refresh ends the token that calls on their way carry.
 * @throws Refusal WDR_UPSTREAM_TIMEOUT, WDR_UPSTREAM_FAILED, or the reason for which the call's signal fired
 */
export function callUpstream(
  call: Recorded,
  { upstreams, leases }: UpstreamParts,
  policy: PolicyView,
  onInterim: (message: InterimMessage) => void,
): Promise<Sent> {
  // Given up between the record and here: the intent stands, the upstream need not be troubled.
  call.signal.throwIfAborted();
  const send = (toSend: Recorded): Promise<Sent> => sendOnce(toSend, upstreams, policy, onInterim);
  return send(call).catch(async (error: unknown) => {
    if (!(error instanceof Refusal) || error.facts.isUnauthorized !== true) throw error;
    const { target, principal, upstreamCredential, signal } = call;
    if (upstreamCredential === null) throw error;
    const renewed = await leases.afterRefusal(target.upstream, principal.id, upstreamCredential, signal);
    if (renewed === undefined) throw error;
    const { answer } = await send({ ...call, upstreamCredential: renewed });
    return { answer: withoutCredential(answer, upstreamCredential) };
  });
}

function sendOnce(
  call: Recorded,
  upstreams: Upstreams,
  policy: PolicyView,
  onInterim: (message: InterimMessage) => void,
): Promise<Sent> {
  const { upstreamCredential, target } = call;
  const changes = upstreams.listChanges(target.upstream);
  return upstreams
    .send(call, policy.timeoutMs(target.upstream), (message) =>
      onInterim(withoutCredential(message, upstreamCredential)),
    )
    .then((answer) => {
      // An answer that crossed a revocation on its way must not be released.
      call.signal.throwIfAborted();
      if (upstreams.listChanges(target.upstream) !== changes) call.findings.push(LIST_CHANGED);
      return { answer: withoutCredential(answer, upstreamCredential) };
    });
}
