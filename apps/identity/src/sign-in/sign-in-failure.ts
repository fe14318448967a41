import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerPage, noticePage, PageError, PageRefusal } from '@warder/pages';
import { storeAnswerOf } from '@warder/postgres';
import { AdminError } from '@warder/service-host';

/** Who is told of a failure beside the person. */
export interface FailureParts {
  /** Of whoever asked. */
  readonly address: string;
  readonly onFailure: (told: { code: string; detail: string; address: string; method?: string }) => void;
  readonly onBug: (error: unknown) => void;
}

/** Answers a request of signing in that failed, with one sentence; a refusal that has a code goes on record. */
export function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
  { address, onFailure, onBug }: FailureParts,
): void {
  const error = toldOf(thrown);
  const isOver =
    (error as { error?: string }).error === 'invalid_request' || (error as Error).name === 'SessionNotFound';
  if (error instanceof PageRefusal) {
    onFailure({ code: error.code, detail: error.message, address, method: request.method ?? '' });
    error.tell(response);
  }
  if (error instanceof PageError) return answer(response, error.status, error.message);
  if (isOver) {
    const sentence = 'This sign-in is over, or began in another browser. Start again in your program.';
    return answer(response, 400, sentence);
  }
  onBug(error);
  answer(response, 500, 'Something went wrong here. Start again in your program.');
}

function answer(response: ServerResponse, status: number, sentence: string): void {
  if (response.headersSent) return;
  answerPage(response, status, 'Sign in', noticePage('That did not work', sentence));
}

/** What a person is told where the database is away, or holds no such text. */
function toldOf(thrown: unknown): unknown {
  const error = storeAnswerOf(thrown);
  const isAway = (error as { error?: string }).error === 'temporarily_unavailable';
  if (!isAway && !(error instanceof AdminError)) return error;
  if (!isAway && (error as AdminError).status !== 503)
    return new PageError(400, 'Something that was sent is no text that can be kept.');
  return new PageError(503, 'Warder cannot look that up at the moment. Try again in your program.');
}
