import { AdminError } from '@warder/service-host';

/** What kind of mistake it is. @see RFC 7644 section 3.12, table 9 */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue';

const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** A refusal over SCIM. */
export class ScimError extends AdminError {
  constructor(
    status: number,
    code: `WDR_${string}`,
    message: string,
    readonly scimType?: ScimType,
    /** Seconds until it is worth asking again. */
    readonly retryAfterS?: number,
  ) {
    super(status, code, message);
    this.name = 'ScimError';
  }
}

/** The body of any refusal, in the form of RFC 7644 section 3.12; our code stands at the end of its sentence. */
export function scimErrorBody(
  { status, code, message }: { status: number; code: string; message: string },
  error: unknown,
): object {
  const scimType = scimTypeOf(status, code, error);
  return {
    schemas: [ERROR_SCHEMA],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail: `${message} (${code})`,
  };
}

// What the host or the database refused knows nothing of SCIM.
function scimTypeOf(status: number, code: string, error: unknown): ScimType | undefined {
  if (error instanceof ScimError) return error.scimType;
  if (status === 400) return error instanceof AdminError ? 'invalidValue' : 'invalidSyntax';
  return code === 'WDR_EMAIL_TAKEN' ? 'uniqueness' : undefined;
}
