import { PolicyDocument } from '@warder/contracts';
import { checkReferences } from './check-references.js';
import { type DocumentProblem, problemsOfIssues } from './document-problem.js';

/** A document that may be published, or everything that is wrong with it. */
export type ReadDocument =
  | { readonly document: PolicyDocument; readonly problems: readonly []; readonly wrong: undefined }
  | {
      readonly document: undefined;
      readonly problems: readonly DocumentProblem[];
      readonly wrong: 'form' | 'references';
    };

/** Reads a policy as it came from a body or a file: its form first, then what it refers to. */
export function readDocument(value: unknown): ReadDocument {
  const parsed = PolicyDocument.safeParse(value);
  if (!parsed.success)
    return { document: undefined, problems: problemsOfIssues(parsed.error.issues, value), wrong: 'form' };
  const problems = checkReferences(parsed.data);
  return problems.length > 0
    ? { document: undefined, problems, wrong: 'references' }
    : { document: parsed.data, problems: [], wrong: undefined };
}
