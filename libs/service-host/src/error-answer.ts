import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Logger } from '@warder/telemetry';
import { AdminError } from './admin-error.js';
import type { RequestRefused } from './service.js';
import type { SideDoors } from './side-door.js';

export interface ErrorAnswer {
  status: number;
  code: string;
  message: string;
  /** What a 401 asks for. */
  challenge?: string;
}

interface RoutedRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions?: { readonly url?: string };
}

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): void;
}

const BY_STATUS: Record<number, { code: string; message: string }> = {
  400: { code: 'WDR_BODY_INVALID', message: 'the body is not valid JSON' },
  404: { code: 'WDR_PATH_UNKNOWN', message: 'no such path' },
  413: { code: 'WDR_BODY_TOO_LARGE', message: 'the body is too large' },
  415: { code: 'WDR_CONTENT_TYPE_UNSUPPORTED', message: 'send application/json' },
};

/** Turns whatever a controller threw into an answer; undefined for a bug, of which the caller learns nothing. */
export function refusalOf(error: unknown): ErrorAnswer | undefined {
  if (error instanceof AdminError) {
    const { status, code, message, challenge } = error;
    return { status, code, message, ...(challenge === undefined ? {} : { challenge }) };
  }
  const status = statusOf(error);
  if (status === undefined || status < 400 || status > 499) return undefined;
  return { status, ...(BY_STATUS[status] ?? { code: 'WDR_REQUEST_REFUSED', message: 'request refused' }) };
}

/** What a path that nothing answers to is answered. */
export const PATH_UNKNOWN: ErrorAnswer = { status: 404, ...BY_STATUS[404]! };

/**
 * The host's one exception filter: refusals as they are, anything else logged and answered 500 without its inside.
 * @param tell - what else is done about each answer; whatever is thrown on the way to a controller comes by here
 */
export function createErrorFilter(
  log: Logger,
  sideDoors: SideDoors,
  tell: (refused: RequestRefused) => void,
): ExceptionFilter {
  return {
    catch(error: unknown, context: ArgumentsHost): void {
      const http = context.switchToHttp();
      const reply = http.getResponse<Reply>();
      let answer = refusalOf(error);
      if (answer === undefined) {
        log.error({ err: error }, 'request failed');
        answer = { status: 500, code: 'WDR_INTERNAL', message: 'internal error' };
      }
      if (answer.status === 401) reply.header('www-authenticate', answer.challenge ?? 'Bearer');
      const { raw, routeOptions } = http.getRequest<RoutedRequest>();
      const told = sideDoors.at(raw.url ?? '')?.refusal(answer, error);
      for (const [name, value] of Object.entries(told?.headers ?? {})) reply.header(name, value);
      reply.status(answer.status).send(told?.body ?? { error: { code: answer.code, message: answer.message } });
      tell({ request: raw, route: routeOptions?.url ?? null, answer, thrown: error });
    },
  };
}

// Nest and Fastify carry the status in different members; asked by shape, for an app may bring its own copy of Nest.
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const carrier = error as { getStatus?: () => unknown; statusCode?: unknown };
  const status = typeof carrier.getStatus === 'function' ? carrier.getStatus() : carrier.statusCode;
  return typeof status === 'number' ? status : undefined;
}
