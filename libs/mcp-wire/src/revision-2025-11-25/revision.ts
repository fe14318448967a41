import { encodeInitialize, encodeLegacyResult, encodeLegacyTools } from '../legacy-results.js';
import type { Revision } from '../revision.js';

const URL_ELICITATION_REQUIRED = -32_042;

/** MCP 2025-11-25: the last revision with a handshake. Tasks are not offered, so `execution` leaves the tools. */
export const revision20251125: Revision = {
  protocolVersion: '2025-11-25',
  era: 'legacy',
  methods: new Set(['initialize', 'ping', 'tools/list', 'tools/call']),
  encodeGreeting: (face) => encodeInitialize('2025-11-25', face),
  encodeToolsPage: (page) => encodeLegacyTools(page, ['execution']),
  encodeResult: (result) => encodeLegacyResult(result),
  // The call is over; the client makes another one once its person has been there (client/elicitation, URL mode).
  askToOpen: ({ id, url, message }) => ({
    member: 'error',
    text: JSON.stringify({
      code: URL_ELICITATION_REQUIRED,
      message,
      data: { elicitations: [{ mode: 'url', elicitationId: id, url, message }] },
    }),
  }),
  unknownMethodStatus: 200,
};
