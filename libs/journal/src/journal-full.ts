/** The journal cannot hold another record now: the call is refused before anything happened. */
export class JournalFullError extends Error {
  constructor(
    readonly reason: 'full' | 'disk' | 'closed',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'JournalFullError';
  }
}
