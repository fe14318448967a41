import type { Answered, Recorded } from '../call.js';
import { withoutCredential } from '../credential-mask.js';
import type { InterimMessage, PolicyView, Upstreams } from '../gateway.js';

/**
 * The one step that acts on the world. It takes a `Recorded` call only.
 * @throws Refusal WDR_UPSTREAM_TIMEOUT, WDR_UPSTREAM_FAILED, or the reason for which the call's signal fired
 */
export function callUpstream(
  call: Recorded,
  upstreams: Upstreams,
  policy: PolicyView,
  onInterim: (message: InterimMessage) => void,
): Promise<Pick<Answered, 'answer'>> {
  // Given up between the record and here: the intent stands, the upstream need not be troubled.
  call.signal.throwIfAborted();
  const { upstreamHeaders } = call;
  return upstreams
    .send(call, policy.timeoutMs(call.target.upstream), (message) =>
      onInterim(withoutCredential(message, upstreamHeaders)),
    )
    .then((answer) => {
      // An answer that crossed a revocation on its way must not be released.
      call.signal.throwIfAborted();
      return { answer: withoutCredential(answer, upstreamHeaders) };
    });
}
