import type { HttpAnswer } from '@warder/egress';

/** The receiver wants to be left alone for a while. */
export class ReceiverBusy extends Error {
  override readonly name = 'ReceiverBusy';

  constructor(
    message: string,
    readonly retryAfterMs: number | undefined,
  ) {
    super(message);
  }
}

/** The error of an answer that says to try again, or that only an operator can mend. Nothing of its body is in it. */
export function tryAgain(answer: HttpAnswer, more = ''): ReceiverBusy {
  return new ReceiverBusy(
    `the receiver answered ${answer.status}${more === '' ? '' : ` (${more})`}`,
    answer.retryAfterMs,
  );
}
