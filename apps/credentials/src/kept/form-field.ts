/** One field that somebody fills in. */
export interface FormField {
  readonly name: string;
  readonly title: string;
  readonly isSecret: boolean;
  /** It has lines. */
  readonly isLong?: boolean;
  readonly isOptional?: boolean;
}

/** Why what was filled in is not kept; it names the field, never its value. */
export class FieldsRefused extends Error {
  override readonly name = 'FieldsRefused';
}
