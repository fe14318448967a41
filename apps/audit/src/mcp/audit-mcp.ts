import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { PrincipalState } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { answerJson, type RawHandler } from '@warder/service-host';
import { principalOfBearer } from '@warder/tokens';
import { auditTools, type AuditToolsParts } from './audit-tools.js';

/** Where the process's internal listener has it. */
export const AUDIT_MCP_PATH = '/mcp';
const BODY_BYTES_MAX = 262_144;
const BEARER = /^Bearer (\S+)$/;

export interface AuditMcpParts extends AuditToolsParts {
  /** Shared with the ingress nodes. */
  readonly key: string;
  readonly principalById: (id: string) => PrincipalState | undefined;
}

/**
 * The upstream `audit`: MCP over streamable HTTP, without sessions, for ingress nodes. They say for whom they ask, and
 * have decided; that the asker is an auditor is looked up here once more, for the record is more than a tool.
 */
export function auditMcp(parts: AuditMcpParts): RawHandler {
  return (request, response) => {
    const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const principalId = principalOfBearer(parts.key, bearer);
    if (principalId === undefined) return refuse(response, 401, 'WDR_TOKEN_UNKNOWN', 'the bearer is not accepted');
    if (request.method !== 'POST') return refuse(response, 405, 'WDR_METHOD_NOT_ALLOWED', 'there are no sessions');
    answer(request, response, principalId, parts).catch((error: unknown) => {
      parts.onBug(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'WDR_INTERNAL', 'internal error');
    });
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  principalId: string,
  parts: AuditMcpParts,
): Promise<void> {
  const body = await bodyOf(request);
  if (body === undefined) return refuse(response, 413, 'WDR_BODY_TOO_LARGE', `more than ${BODY_BYTES_MAX} bytes`);
  const server = auditTools(parts, askerOf(parts.principalById(principalId)));
  // No sessions: each request has a server and a transport of its own, which end with it.
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.once('close', () => void server.close().catch(parts.onBug));
  await server.connect(transport);
  await transport.handleRequest(request, response, jsonOf(body));
}

function askerOf(principal: PrincipalState | undefined): AdminActor | undefined {
  if (principal?.status !== 'active' || !principal.roles.includes('auditor')) return undefined;
  return { principal, token: null, address: '' };
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What is no JSON is handed on as a text, which the transport refuses as no message. */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  answerJson(response, status, { error: { code, message } });
}
