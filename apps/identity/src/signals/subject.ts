import { z } from 'zod';

const Text = z.string().min(1).max(500);
const ALIASES_MAX = 10;

/** Somebody by one of the ways in which senders name people (RFC 9493 section 3.2). */
export const SubjectId = z.discriminatedUnion('format', [
  z.looseObject({ format: z.literal('email'), email: Text }),
  z.looseObject({ format: z.literal('iss_sub'), iss: Text, sub: Text }),
  z.looseObject({ format: z.literal('opaque'), id: Text }),
]);
export type SubjectId = z.infer<typeof SubjectId>;

/** The subject is named in a way that is not known, or is no person. */
export class SubjectUnclear extends Error {
  override readonly name = 'SubjectUnclear';
}

/**
 * The ways in which a sender names one person, in its order.
 * @throws SubjectUnclear for a format that is not known, and for a subject that has no person, such as a device
 * @see RFC 9493 section 3; OpenID Shared Signals Framework 1.0 section 3.3 (complex subjects)
 */
export function subjectIdsOf(given: unknown): readonly SubjectId[] {
  if (typeof given !== 'object' || given === null) throw new SubjectUnclear('no subject');
  const subject = given as Readonly<Record<string, unknown>>;
  const format = formatOf(subject);
  // A complex subject has a member for each kind of thing, the person under `user`. Older senders leave the format out.
  if (format === 'complex' || (format === undefined && 'user' in subject)) return subjectIdsOf(subject['user']);
  if (format === 'aliases') {
    const { identifiers } = subject;
    if (!Array.isArray(identifiers) || identifiers.length === 0 || identifiers.length > ALIASES_MAX)
      throw new SubjectUnclear('no list of aliases');
    return identifiers.map(simpleOf);
  }
  return [simpleOf(subject)];
}

function simpleOf(given: unknown): SubjectId {
  const parsed = SubjectId.safeParse(
    typeof given === 'object' && given !== null ? { ...given, format: formatOf(given) } : given,
  );
  if (!parsed.success) throw new SubjectUnclear('the subject has another form than those that are known');
  return parsed.data;
}

/** Google's RISC writes `subject_type: "iss-sub"`, from a draft of what became RFC 9493. */
function formatOf(subject: object): string | undefined {
  const { format, subject_type: type } = subject as { format?: unknown; subject_type?: unknown };
  if (typeof format === 'string') return format;
  return typeof type === 'string' ? type.replace('-', '_') : undefined;
}
