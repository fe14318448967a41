import type { z } from 'zod';
import { AnswerMalformed } from './provider-kind.js';

/** @throws AnswerMalformed; its message names no value of the answer */
export function parsed<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AnswerMalformed(`${issue?.path.join('.').slice(0, 100) ?? ''}: ${issue?.code ?? 'invalid'}`);
}

/** @throws AnswerMalformed */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AnswerMalformed('not JSON');
  }
}
