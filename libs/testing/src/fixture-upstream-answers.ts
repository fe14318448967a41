import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Begins an answer of events. */
export function startStream(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
}

/** One event with a JSON-RPC message. */
export function writeEvent(response: ServerResponse, json: string): void {
  response.write(`event: message\ndata: ${json}\n\n`);
}

/** A whole answer. */
export function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, body === '' ? {} : { 'content-type': 'application/json' }).end(body);
}

/** One event in pieces of seven bytes, CRLF line ends, each piece a chunk of its own. */
export async function sendInPieces(response: ServerResponse, json: string): Promise<void> {
  const bytes = Buffer.from(`event: message\r\ndata: ${json}\r\n\r\n`, 'utf8');
  for (let at = 0; at < bytes.length; at += 7) {
    response.write(bytes.subarray(at, at + 7));
    await nextTurn();
  }
  response.end();
}
