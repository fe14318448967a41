import { z } from 'zod';
import { parsed } from './parsed.js';
import { AnswerMalformed } from './provider-kind.js';

const Completion = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullable().optional(),
        message: z.object({ content: z.string().nullable().optional(), refusal: z.string().nullable().optional() }),
      }),
    )
    .min(1),
});

/** Path and headers of a chat completion under an API's base, with the key where there is one. */
export function chatPost(base: URL, secret: string, body: object) {
  return {
    path: `${base.pathname.replace(/\/$/, '')}/chat/completions`,
    headers: {
      'content-type': 'application/json',
      ...(secret === '' ? {} : { authorization: `Bearer ${secret}` }),
    },
    body: JSON.stringify(body),
  };
}

/**
 * The whole text that a model answered with.
 * @throws AnswerMalformed where it refused, was cut, or said nothing: that is no judgement
 * @see OpenAI API reference, chat completion object
 */
export function chatText(answer: unknown): string {
  const choice = parsed(Completion, answer).choices[0]!;
  const { content, refusal } = choice.message;
  if (refusal !== undefined && refusal !== null) throw new AnswerMalformed('the model refused to judge');
  if (choice.finish_reason === 'length' || choice.finish_reason === 'content_filter')
    throw new AnswerMalformed('the model was cut off');
  if (content === undefined || content === null || content === '') throw new AnswerMalformed('no content');
  return content;
}
