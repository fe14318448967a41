import { VirtualServer } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { captureLevelOf, compileCaptureRules } from './capture-rules.js';

const rulesOf = (record: object) => compileCaptureRules(VirtualServer.parse({ tools: [], record }).record);

describe('how much a record keeps', () => {
  it('is everything where a virtual server says nothing', () => {
    const rules = compileCaptureRules(VirtualServer.parse({ tools: [] }).record);
    expect(captureLevelOf(rules)).toBe('full');
    expect(captureLevelOf(rules, { upstream: 'vault', tool: 'read' })).toBe('full');
  });

  it.each([
    ['vault', 'read', 'none'],
    ['vault', 'read_all', 'metadata'],
    ['vault', 'write', 'hashes'],
    ['mail', 'read', 'full'],
    ['files', 'list', 'request'],
    ['files', 'a_b', 'metadata'],
  ])('is that of the most specific pattern: %s/%s keeps %s', (upstream, tool, expected) => {
    const tools = {
      '*/*': { capture: 'request' },
      'vault/*': { capture: 'hashes' },
      'vault/read*': { capture: 'metadata' },
      'vault/read': { capture: 'none' },
      'mail/*': { capture: 'full' },
      'files/a*': { capture: 'full' },
      'files/*b': { capture: 'metadata' },
    };
    expect(captureLevelOf(rulesOf({ capture: 'full', tools }), { upstream, tool })).toBe(expected);
  });

  it('is that of the virtual server for what names no tool of it', () => {
    const rules = rulesOf({ capture: 'metadata', tools: { '*/*': { capture: 'full' } } });
    expect(captureLevelOf(rules)).toBe('metadata');
  });

  it('refuses a level that there is not and a pattern that is none, by its key', () => {
    const wrong = [{ capture: 'some' }, { tools: { vault: { capture: 'none' } } }, { tools: { 'a/b': {} } }];
    for (const record of wrong) expect(VirtualServer.safeParse({ tools: [], record }).success).toBe(false);
  });
});
