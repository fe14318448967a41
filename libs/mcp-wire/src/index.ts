export {
  type ClientMessage,
  header,
  type HeaderMap,
  parseClientMessage,
  type ProgressToken,
} from './client-message.js';
export {
  type Era,
  isObject,
  LEGACY_LATEST,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_LOG_LEVEL,
  META_PROTOCOL_VERSION,
  META_SERVER_INFO,
  META_SUBSCRIPTION_ID,
  MODERN_LATEST,
  type ServerInfo,
} from './era.js';
export { decodeHeaderValue, encodeHeaderValue } from './header-value.js';
export { JSON_DEPTH_MAX, JsonError, LosslessNumber, parseJson, stringifyJson } from './json.js';
export {
  encodeAnswer,
  encodeError,
  encodeProtocolError,
  ErrorCode,
  type ProtocolError,
  protocolError,
} from './protocol-error.js';
export {
  LEGACY_VERSIONS,
  negotiateLegacy,
  type Revision,
  revisionOf,
  type ServerFace,
  type ToolsPage,
} from './revision.js';
export {
  paramHeaderList,
  type ParamHeader,
  readParamHeaders,
  withoutParamHeaders,
} from './revision-2026-07-28/param-headers.js';
export { NAME_SOURCE } from './revision-2026-07-28/request-checks.js';
export { type LegacySession, openSession, sealSession } from './session-token.js';
export { encodeSseId, encodeSseMessage, SSE_KEEP_ALIVE, SseDecoder, type SseEvent, SseOverflow } from './sse.js';
export { asksForTools, encodeAcknowledged, encodeListenEnd, encodeToolsChanged, LISTEN } from './subscriptions.js';
export { encodeNotification, encodeProgress, toolError } from './tool-result.js';
export {
  answersUrlRequest,
  takesUrlRequests,
  URL_REQUEST_KEY,
  type UrlRequest,
  type UrlRequestAnswer,
} from './url-request.js';
