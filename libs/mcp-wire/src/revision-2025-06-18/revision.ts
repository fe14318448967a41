import { encodeInitialize, encodeLegacyResult, encodeLegacyTools } from '../legacy-results.js';
import type { Revision } from '../revision.js';

/** MCP 2025-06-18: no icons, no tasks. */
export const revision20250618: Revision = {
  protocolVersion: '2025-06-18',
  era: 'legacy',
  methods: new Set(['initialize', 'ping', 'tools/list', 'tools/call']),
  encodeGreeting: (face) => encodeInitialize('2025-06-18', face),
  encodeToolsPage: (page) => encodeLegacyTools(page, ['execution', 'icons']),
  encodeResult: (result) => encodeLegacyResult(result),
  unknownMethodStatus: 200,
};
