import { AdminError } from '@warder/service-host';

/** A statement that failed, without its parameters: they are what a log must not hold. */
export class StoreError extends Error {
  constructor(
    message: string,
    /** SQLSTATE, where the database gave one. */
    readonly sqlState: string | undefined,
    readonly constraint: string | undefined,
  ) {
    super(message);
    this.name = 'StoreError';
  }
}

const UNREACHABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  // Shutting down, starting up, read-only after a failover, and a statement past its time-out.
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '25006',
]);
/** Connection exceptions and insufficient resources (PostgreSQL manual, appendix A). */
const UNREACHABLE_CLASSES = ['08', '53'];
/** pg gives these no code. */
const UNREACHABLE_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

interface DriverError extends Error {
  code?: string;
  constraint?: string;
  table?: string;
  driverError?: DriverError;
}

/** Whether the error says that the database cannot be asked now, and not that the question was wrong. */
export function isStoreUnavailable(error: unknown): boolean {
  for (const seen of chainOf(error)) {
    if (seen.name === 'QueryRunnerAlreadyReleasedError') return true;
    if (seen.code !== undefined && UNREACHABLE_CODES.has(seen.code)) return true;
    if (seen.code?.length === 5 && UNREACHABLE_CLASSES.includes(seen.code.slice(0, 2))) return true;
    if (UNREACHABLE_TEXT.test(seen.message)) return true;
  }
  return false;
}

/** Whether the error is a unique violation (SQLSTATE 23505), of that constraint if one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const seen = chainOf(error).find(({ code }) => code === '23505');
  return seen !== undefined && (constraint === undefined || seen.constraint === constraint);
}

/**
 * What may leave a store in place of the error: AdminError 503 WDR_STORE_UNAVAILABLE when the database is away, a
 * `StoreError` without parameters for a failed statement, and everything else as it is.
 */
export function storeErrorOf(error: unknown): unknown {
  if (error instanceof AdminError || error instanceof StoreError) return error;
  const chain = chainOf(error);
  const [outer] = chain;
  const inner = chain.at(-1);
  const isOfStore =
    outer !== undefined && chain.some((seen) => seen.driverError !== undefined || isSqlState(seen.code));
  if (isStoreUnavailable(error)) {
    return new AdminError(503, 'WDR_STORE_UNAVAILABLE', 'the database is not available; nothing was changed');
  }
  if (!isOfStore || inner === undefined) return error;
  // The text of a constraint or syntax error names tables and constraints; values stand in `detail` and `parameters`.
  const what = inner.constraint ?? inner.table ?? outer.name;
  return new StoreError(`statement failed: SQLSTATE ${inner.code ?? 'none'}, ${what}`, inner.code, inner.constraint);
}

/**
 * The same for whoever asked over HTTP: 400 WDR_BODY_INVALID where the statement failed for a value that no column can
 * hold (SQLSTATE class 22: a NUL, half a surrogate pair, a 31st of February), which is the caller's and no bug of ours.
 */
export function storeAnswerOf(error: unknown): unknown {
  const told = storeErrorOf(error);
  if (!(told instanceof StoreError) || told.sqlState?.startsWith('22') !== true) return told;
  return new AdminError(400, 'WDR_BODY_INVALID', 'a value is one that the database cannot hold');
}

/**
 * Runs what asks the database, for callers outside of a Nest request.
 * @throws what `storeErrorOf` makes of a failure
 */
export async function withStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeErrorOf(error);
  }
}

function isSqlState(code: string | undefined): boolean {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
}

function chainOf(error: unknown): DriverError[] {
  const chain: DriverError[] = [];
  let seen: unknown = error;
  while (seen instanceof Error && chain.length < 5) {
    const current = seen as DriverError;
    chain.push(current);
    // Node reports each address that it tried.
    seen = current.driverError ?? (current instanceof AggregateError ? current.errors[0] : current.cause);
  }
  return chain;
}
