import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { scrub } from './scrub.js';

export type Logger = PinoLogger;

export interface LoggerOptions {
  level?: string;
  /** Where lines go; standard output unless said otherwise. */
  destination?: DestinationStream;
  /** A file that lines are added to, made with mode 0600. */
  file?: string;
  /** Stands in every line. */
  node?: string;
}

/** Field names whose values never reach a log, at the top of a line and one or two levels below. */
const SECRET_FIELDS = ['authorization', 'token', 'password', 'secret', 'pepper', 'peppers', 'cookie', 'key', 'sasl'];

/**
 * A JSON logger that prints no secret: fields named like one are censored, and whatever else a line holds is
 * scrubbed of tokens, bearer headers and passwords in URLs before it is written (design, invariant 3).
 */
export function createLogger(service: string, options: LoggerOptions = {}): Logger {
  const sink = options.destination ?? pino.destination(sinkOptions(options.file));
  const scrubbed: DestinationStream = { write: (line: string) => sink.write(scrub(line)) };
  return pino(
    {
      level: options.level ?? 'info',
      base: { service, ...(options.node === undefined ? {} : { node: options.node }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[redacted]',
      },
    },
    scrubbed,
  );
}

function sinkOptions(file: string | undefined): Parameters<typeof pino.destination>[0] {
  return file === undefined
    ? { fd: 1, sync: true }
    : { dest: file, append: true, mkdir: true, mode: 0o600, sync: true };
}
