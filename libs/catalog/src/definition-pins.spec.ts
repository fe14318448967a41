import { compilePolicy } from '@warder/access';
import { type DefinitionRule, PolicyDocument, type UpstreamCatalogue } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { Catalog } from './catalog.js';
import { isShown, standingOf, UpstreamPins } from './definition-pins.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const C = 'c'.repeat(64);
const verdict = (tool: string, firstSeen: string, accepted: string[] = [], rejected: string[] = []) => ({
  tool,
  firstSeen,
  accepted,
  rejected,
});
const pinsOf = (...tools: ReturnType<typeof verdict>[]) =>
  new UpstreamPins({ version: 1, status: 'active', upstream: 'files', tools });

describe('a definition stands', () => {
  const seen = pinsOf(verdict('read', A));
  const accepted = pinsOf(verdict('read', A, [B]), verdict('stat', A));
  const full = new UpstreamPins({ ...seen.verdicts, isFull: true });
  const rejected = pinsOf(verdict('read', A, [], [A]));
  it.each([
    ['unpinned as it was first seen', seen, 'read', A, 'hide-changes', 'unpinned', true],
    ['changed from what was first seen', seen, 'read', B, 'hide-changes', 'changed', false],
    ['unpinned where nobody has seen it yet', undefined, 'read', A, 'hide-changes', 'unpinned', true],
    ['accepted', accepted, 'read', B, 'hide-changes', 'accepted', true],
    [
      'changed from what was accepted, be it back to what was first seen',
      accepted,
      'read',
      A,
      'hide-changes',
      'changed',
      false,
    ],
    ['new beside others that were accepted', accepted, 'stat', A, 'hide-changes', 'new', false],
    [
      'new where it was never listed before, beside others that were accepted',
      accepted,
      'rm',
      C,
      'hide-changes',
      'new',
      false,
    ],
    ['new where its upstream listed more than is remembered', full, 'stat', A, 'hide-changes', 'new', false],
    ['unpinned where it is remembered in spite of that', full, 'read', A, 'hide-changes', 'unpinned', true],
    ['rejected', rejected, 'read', A, 'hide-changes', 'rejected', false],
    ['new under hide', seen, 'read', A, 'hide', 'new', false],
    ['changed under hide', seen, 'read', B, 'hide', 'changed', false],
    ['accepted under hide', accepted, 'read', B, 'hide', 'accepted', true],
    ['new and shown under flag', seen, 'read', A, 'flag', 'new', true],
    ['changed and shown under flag', accepted, 'read', C, 'flag', 'changed', true],
    ['rejected and not shown under flag', rejected, 'read', A, 'flag', 'rejected', false],
    ['trusted', seen, 'read', B, 'trust', 'trusted', true],
    ['rejected even where the upstream is trusted', rejected, 'read', A, 'trust', 'rejected', false],
  ] as const)('%s', (_what, pins, tool, hash, rule, standing, shown) => {
    expect(standingOf(pins, tool, hash, rule)).toBe(standing);
    expect(isShown(standing, rule)).toBe(shown);
  });

  it('as if nothing were known once its upstream is removed', () => {
    const removed = new UpstreamPins({ version: 2, status: 'removed', upstream: 'files', tools: [verdict('read', A)] });
    expect(removed.standingOf('read', B, 'hide-changes')).toBe('unpinned');
  });
});

describe('a hidden tool', () => {
  const catalogue = (...tools: [name: string, hash: string][]): UpstreamCatalogue => ({
    version: 1,
    status: 'active',
    upstream: 'files',
    hash: tools.join(),
    node: 'n1',
    tools: tools.map(([name, hash]) => ({ hash, definition: { name, inputSchema: { type: 'object' } } })),
  });
  const policyOf = (definitions: DefinitionRule, lines: object[] = [{ upstream: 'files', tool: '*' }]) => {
    const transport = { kind: 'streamable-http', url: 'https://upstream.example.com/mcp' };
    return compilePolicy(
      PolicyDocument.parse({
        upstreams: { files: { transport, definitions }, other: { transport } },
        virtualServers: { dev: { tools: lines } },
        grants: [{ name: 'everyone', effect: 'permit', to: { group: 'all' }, tools: ['*/*'] }],
      }),
    );
  };

  it('is neither listed nor resolved, and is known by its standing', () => {
    const pins = new Map([['files', pinsOf(verdict('read', A))]]);
    const catalog = new Catalog(
      policyOf('hide-changes'),
      new Map([['files', catalogue(['read', B], ['stat', A])]]),
      pins,
    );
    expect(catalog.exposedTools('dev').map(({ exposedName }) => exposedName)).toEqual(['files__stat']);
    expect(catalog.resolveExposed('dev', 'files__read')).toBeUndefined();
    expect(catalog.hiddenTool('dev', 'files__read')).toMatchObject({ canonical: 'files/read', standing: 'changed' });
    expect(catalog.hiddenTools('dev')).toHaveLength(1);
  });

  it('keeps its name, so that no other can step into its place', () => {
    const lines = [
      { upstream: 'files', tool: '*', prefix: '' },
      { upstream: 'other', tool: '*', prefix: '' },
    ];
    const other = { ...catalogue(['read', C]), upstream: 'other' };
    const catalogues = new Map([['files', catalogue(['read', B])] as const, ['other', other] as const]);
    const catalog = new Catalog(
      policyOf('hide-changes', lines),
      catalogues,
      new Map([['files', pinsOf(verdict('read', A))]]),
    );
    expect(catalog.resolveExposed('dev', 'read')).toBeUndefined();
    expect(catalog.exposedTools('dev').map(({ canonical }) => canonical)).toEqual(['other/read']);
  });

  it('is there again with the verdict that accepts it, whatever else is kept of the table before', () => {
    const catalogues = new Map([['files', catalogue(['read', B])]]);
    const policy = policyOf('hide-changes');
    const before = new Catalog(policy, catalogues, new Map([['files', pinsOf(verdict('read', A))]]));
    expect(before.exposedTools('dev')).toHaveLength(0);
    const after = new Catalog(policy, catalogues, new Map([['files', pinsOf(verdict('read', A, [B]))]]), before);
    expect(after.resolveExposed('dev', 'files__read')?.standing).toBe('accepted');
  });
});
