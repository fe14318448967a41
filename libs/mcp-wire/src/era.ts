import { LosslessNumber } from './json.js';

/** `legacy`: initialize handshake and sessions; `modern`: a per-request envelope in `_meta`, no state. */
export type Era = 'legacy' | 'modern';

export const LEGACY_LATEST = '2025-11-25';
export const MODERN_LATEST = '2026-07-28';

export const META_PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';
export const META_CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
export const META_CLIENT_INFO = 'io.modelcontextprotocol/clientInfo';
export const META_LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
export const META_SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
export const META_SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

/** What a server says of itself; unverified, so nothing may depend on it. */
export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
}

/** True for a JSON object, false for arrays, null and the objects that numbers past a double come as. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LosslessNumber);
}
