import { describe, expect, it } from 'vitest';
import { negotiateLegacy, revisionOf } from './revision.js';

const server = { name: 'warder', version: '1' };
const face = { server, capabilities: { tools: { listChanged: true } } };
const tool = {
  name: 'a',
  inputSchema: { type: 'object' },
  icons: [],
  execution: { taskSupport: 'optional' },
  outputSchema: { type: 'array' },
};

describe('the revisions', () => {
  it('pins the greeting of each', () => {
    expect(revisionOf('2025-06-18')?.encodeGreeting(face)).toBe(
      '{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"warder","version":"1"}}',
    );
    expect(revisionOf('2025-11-25')?.encodeGreeting(face)).toContain('"protocolVersion":"2025-11-25"');
    expect(revisionOf('2026-07-28')?.encodeGreeting(face)).toBe(
      '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true}},"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"warder","version":"1"}}}',
    );
  });

  it('answers an initialize with its own revision if it is known and legacy, else with the latest legacy one', () => {
    expect(negotiateLegacy('2025-06-18').protocolVersion).toBe('2025-06-18');
    expect(negotiateLegacy('2024-11-05').protocolVersion).toBe('2025-11-25');
    expect(negotiateLegacy('2026-07-28').protocolVersion).toBe('2025-11-25');
    expect(revisionOf('2099-01-01')).toBeUndefined();
  });

  it('marks modern lists private and complete', () => {
    const page = JSON.parse(revisionOf('2026-07-28')!.encodeToolsPage({ tools: [tool] }, server));
    expect(page).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
    expect(page.tools[0]).toMatchObject({ icons: [], outputSchema: { type: 'array' } });
    expect(page.tools[0]).not.toHaveProperty('execution');
  });

  it('gives legacy clients only what their revision knows, with objects as structured output', () => {
    const old = JSON.parse(revisionOf('2025-06-18')!.encodeToolsPage({ tools: [tool] }, server));
    expect(old).toStrictEqual({
      tools: [
        {
          name: 'a',
          inputSchema: { type: 'object' },
          outputSchema: { type: 'object', properties: { result: { type: 'array' } }, required: ['result'] },
        },
      ],
    });
    const newer = JSON.parse(revisionOf('2025-11-25')!.encodeToolsPage({ tools: [tool] }, server));
    expect(newer.tools[0]).toHaveProperty('icons');
  });

  it('moves a result between the eras', () => {
    const modern = { content: [], structuredContent: [1], resultType: 'complete', ttlMs: 1, cacheScope: 'public' };
    expect(revisionOf('2025-11-25')!.encodeResult(modern, server)).toBe(
      '{"content":[],"structuredContent":{"result":[1]}}',
    );
    expect(revisionOf('2026-07-28')!.encodeResult({ content: [], _meta: { a: 1 } }, server)).toBe(
      '{"content":[],"_meta":{"a":1,"io.modelcontextprotocol/serverInfo":{"name":"warder","version":"1"}},"resultType":"complete"}',
    );
  });
});
