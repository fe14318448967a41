import { createServer } from 'node:http';
import { answerTexts, PROTOCOL_VERSION, TOOLS, toolDefinition } from './workload.js';

// A stateless MCP 2026-07-28 server on raw node:http. Usage: node upstream.js PORT

const listMembers = { resultType: 'complete', ttlMs: 3_600_000, cacheScope: 'private' };
const results: Record<string, string> = {
  'server/discover': JSON.stringify({
    supportedVersions: [PROTOCOL_VERSION],
    capabilities: { tools: {} },
    serverInfo: { name: 'bench', version: '1' },
    ...listMembers,
  }),
  'tools/list': JSON.stringify({
    tools: Array.from({ length: TOOLS }, (_, index) => toolDefinition(index)),
    ...listMembers,
  }),
};
const answers = answerTexts().map((text) =>
  JSON.stringify({ content: [{ type: 'text', text }], resultType: 'complete', isError: false }),
);
let served = 0;

function resultOf(method: string): string {
  if (method !== 'tools/call') return results[method] ?? '{}';
  served += 1;
  return answers[served % answers.length] ?? '{}';
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const message = JSON.parse(Buffer.concat(chunks).toString()) as { id?: unknown; method: string };
    if (message.id === undefined) return response.writeHead(202).end();
    const body = `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${resultOf(message.method)}}`;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    return response.end(body);
  });
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1', 4_096, () => process.stdout.write('ready\n'));
