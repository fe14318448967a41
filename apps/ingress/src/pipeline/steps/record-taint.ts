import type { Answered, Recorded } from '../call.js';
import type { Flow, InterimMessage } from '../gateway.js';

/** Notes what an answer brought into its run, before any byte of it is released. */
export function recordTaint(call: Answered, flow: Flow): void {
  note(call, flow, call.answer.error ?? call.answer.result);
}

/** The same of messages that come before the answer. */
export function taintingInterim(
  call: Recorded,
  flow: Flow,
  onInterim: (message: InterimMessage) => void,
): (message: InterimMessage) => void {
  return (message) => {
    note(call, flow, message.params);
    onInterim(message);
  };
}

function note(call: Recorded, flow: Flow, answer: unknown): void {
  if (call.run === undefined) return;
  const source = { callId: call.callId, tool: call.target.canonical, bits: call.flow.bits };
  flow.observe(call.run, source, call.flow, answer);
}
