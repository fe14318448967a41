import { encodeInitialize, encodeLegacyResult, encodeLegacyTools } from '../legacy-results.js';
import type { Revision } from '../revision.js';

/** MCP 2025-11-25: the last revision with a handshake. Tasks are not offered, so `execution` leaves the tools. */
export const revision20251125: Revision = {
  protocolVersion: '2025-11-25',
  era: 'legacy',
  methods: new Set(['initialize', 'ping', 'tools/list', 'tools/call']),
  encodeGreeting: (face) => encodeInitialize('2025-11-25', face),
  encodeToolsPage: (page) => encodeLegacyTools(page, ['execution']),
  encodeResult: (result) => encodeLegacyResult(result),
  unknownMethodStatus: 200,
};
