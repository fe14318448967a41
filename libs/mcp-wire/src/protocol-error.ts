import { stringifyJson } from './json.js';

/** JSON-RPC and MCP error codes that this gateway sends or reads. */
export const ErrorCode = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  legacyServer: -32000,
  sessionUnknown: -32001,
  headerMismatch: -32020,
  capabilityMissing: -32021,
  versionUnsupported: -32022,
} as const;

/** A message that is answered by the protocol itself, before anything of it was believed. */
export interface ProtocolError {
  readonly kind: 'error';
  /** HTTP status. */
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  /** The request's id as JSON text, `null` when it could not be read. */
  readonly idJson: string;
}

/** Builds a protocol error. */
export function protocolError(
  status: number,
  code: number,
  message: string,
  idJson = 'null',
  data?: unknown,
): ProtocolError {
  return { kind: 'error', status, code, message, idJson, ...(data === undefined ? {} : { data }) };
}

/** JSON text of an error answer. `idJson` is the request's id as JSON text, written unchanged. */
export function encodeError(idJson: string, code: number, message: string, data?: unknown): string {
  const tail = data === undefined ? '' : `,"data":${stringifyJson(data)}`;
  return `{"jsonrpc":"2.0","id":${idJson},"error":{"code":${code},"message":${JSON.stringify(message)}${tail}}}`;
}

/** JSON text of a protocol error's answer. */
export function encodeProtocolError(error: ProtocolError): string {
  return encodeError(error.idJson, error.code, error.message, error.data);
}

/** JSON text of a success answer around a result that is JSON text already. */
export function encodeAnswer(idJson: string, resultText: string): string {
  return `{"jsonrpc":"2.0","id":${idJson},"result":${resultText}}`;
}
