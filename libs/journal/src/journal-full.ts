/** The journal cannot hold another record now: the call is refused before anything happened. */
export class JournalFullError extends Error {
  /** The text was taken before the disk failed: it is written when the disk works again, its intent closed as refused. */
  readonly isKept: boolean;

  constructor(
    readonly reason: 'full' | 'disk' | 'closed',
    message: string,
    options?: ErrorOptions & { readonly isKept?: boolean },
  ) {
    super(message, options);
    this.name = 'JournalFullError';
    this.isKept = options?.isKept ?? false;
  }
}
