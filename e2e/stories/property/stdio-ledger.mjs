// A small MCP server over stdio that writes each call that it executes to a file, on the disk before it answers.
// Usage: node stdio-ledger.mjs FILE
import { fsyncSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const ledger = openSync(process.argv[2], 'a', 0o600);
const tools = ['echo', 'add', 'error'].map((name) => ({
  name,
  description: `The ledger's ${name}`,
  inputSchema: { type: 'object', properties: { nonce: { type: 'string' }, text: { type: 'string' } } },
}));

function answerTo({ method, params }) {
  if (method === 'initialize') {
    const { protocolVersion } = params;
    return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'stdio-ledger', version: '1' } };
  }
  if (method === 'tools/list') return { tools };
  if (method !== 'tools/call') return {};
  writeSync(ledger, `${JSON.stringify({ nonce: params.arguments?.nonce ?? null, tool: params.name })}\n`);
  fsyncSync(ledger);
  const content = [{ type: 'text', text: String(params.arguments?.text ?? '') }];
  return { content, isError: params.name === 'error' };
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line);
  if (message.id === undefined) return;
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: answerTo(message) })}\n`);
});
