import { z } from 'zod';

/** A refusal of an admin request; the host answers it as `{error: {code, message}}` with `status`. */
export class AdminError extends Error {
  constructor(
    readonly status: number,
    readonly code: `WDR_${string}`,
    message: string,
    /** What its record says instead, where `message` quotes to its caller what must not be kept. */
    readonly detail = message,
    /** What its 401 asks for (`WWW-Authenticate`); `Bearer` unless said otherwise. */
    readonly challenge?: string,
  ) {
    super(message);
    this.name = 'AdminError';
  }
}

/**
 * Reads a request body, query or path by its schema.
 * @throws AdminError 400 WDR_BODY_INVALID that names each wrong key, never its value
 */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 10);
  const recorded = issues.map((issue) => describeIssue(withoutNames(issue)));
  throw new AdminError(400, 'WDR_BODY_INVALID', issues.map(describeIssue).join('; '), recorded.join('; '));
}

/** A key that nobody knows is a piece of the body, and who mistakes its place may have written a secret there. */
function withoutNames(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  return issue.code === 'unrecognized_keys' ? { ...issue, keys: ['a key'] } : issue;
}

/** One issue of zod as `key: what is wrong`; a value that is not there is `missing`. */
export function describeIssue(issue: z.core.$ZodIssue): string {
  const key = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => `${key === '' ? name : `${key}.${name}`}: unknown key`).join('; ');
  }
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return `${key === '' ? 'body' : key}: ${isMissing ? 'missing' : issue.message}`;
}
