import type { z } from 'zod';

/** What is wrong with a policy document, and where. */
export interface DocumentProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** One line for an operator: `grants.0.tools.1: unknown upstream "x"`. */
export function describeProblem(problem: DocumentProblem): string {
  return `${problem.path.length === 0 ? 'document' : problem.path.join('.')}: ${problem.message}`;
}

/** zod's issues as problems: an unknown key stands at its own path, a union speaks for the branch that was meant. */
export function problemsOfIssues(issues: readonly z.core.$ZodIssue[], value: unknown): DocumentProblem[] {
  return issues
    .flatMap((issue) => problemsOfIssue(issue, []))
    .map((problem) => (isThere(value, problem.path) ? problem : { ...problem, message: 'missing' }));
}

function isThere(value: unknown, path: DocumentProblem['path']): boolean {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Record<string | number, unknown>)[key];
  }
  return true;
}

function problemsOfIssue(issue: z.core.$ZodIssue, parent: readonly (string | number)[]): DocumentProblem[] {
  const path = [...parent, ...issue.path.map((key) => (typeof key === 'number' ? key : String(key)))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key' }));
  if (issue.code === 'invalid_key') return issue.issues.slice(0, 1).map((inner) => ({ path, message: inner.message }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const [closest = []] = [...issue.errors].sort((left, right) => left.length - right.length);
    if (closest.length > 0) return closest.flatMap((inner) => problemsOfIssue(inner, path));
  }
  return [{ path, message: issue.message }];
}
