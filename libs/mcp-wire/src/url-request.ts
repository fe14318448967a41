import { isObject } from './era.js';

/** Under which name a request to open a page stands among those of a result; no upstream's, for a slash is in no name of theirs. */
export const URL_REQUEST_KEY = 'warder/open-page';

/** A page that a person is asked to open in a browser: elicitation in URL mode. */
export interface UrlRequest {
  readonly id: string;
  readonly url: string;
  /** What it is for, in a sentence. */
  readonly message: string;
}

/** The answer by which a client is asked, as JSON text of a result or of an error. */
export interface UrlRequestAnswer {
  readonly member: 'result' | 'error';
  readonly text: string;
}

/** Whether a client says that it can ask its person to open a page; one that only says `elicitation` has forms alone. */
export function takesUrlRequests(capabilities: Readonly<Record<string, unknown>>): boolean {
  const { elicitation } = capabilities;
  return isObject(elicitation) && isObject(elicitation['url']);
}

/** Whether the request brings the answer to an earlier request to open a page: it is not asked for again. */
export function answersUrlRequest(params: Readonly<Record<string, unknown>>): boolean {
  const { inputResponses } = params;
  return isObject(inputResponses) && URL_REQUEST_KEY in inputResponses;
}
