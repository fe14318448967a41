import { compilePolicy, type Caller } from '@warder/access';
import { PolicyDocument, principalStateTopic, tokenStateTopic, type UpstreamCatalogue } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { Catalog } from './catalog.js';

const caller = (...groups: string[]): Caller => ({
  principal: { ...principalStateTopic.example, id: `usr_${groups.join('-')}`, groups },
  token: { ...tokenStateTopic.example, id: `pat_${groups.join('-')}` },
});
const http = (extra: object = {}) => ({
  transport: { kind: 'streamable-http', url: 'https://upstream.example.com/mcp' },
  ...extra,
});
const catalogue = (upstream: string, ...tools: string[]): [string, UpstreamCatalogue] => [
  upstream,
  {
    version: 1,
    status: 'active',
    upstream,
    hash: tools.join(),
    node: 'n1',
    tools: tools.map((name) => ({
      hash: `hash-of-${name}`,
      definition: { name, inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
    })),
  },
];
/** Nobody has looked at any definition. */
const none = new Map();
const policyOf = (lines: object[], upstreams: object = { files: http(), mail: http() }) =>
  compilePolicy(
    PolicyDocument.parse({
      upstreams,
      virtualServers: { dev: { tools: lines } },
      grants: [
        { name: 'everyone', effect: 'permit', to: { group: 'all' }, tools: ['*/*'] },
        { name: 'readers', effect: 'permit', to: { group: 'readers' }, tools: ['files/read'] },
      ],
    }),
  );
const namesOf = (catalog: Catalog) =>
  catalog.exposedTools('dev').map((tool) => `${tool.exposedName}=${tool.canonical}`);

describe('exposed names', () => {
  it('take the prefix of the line, else of the upstream, else its name; an empty one exposes bare names', () => {
    const lines = [
      { upstream: 'files', tool: 'read' },
      { upstream: 'files', tool: 'write', prefix: 'fs' },
      { upstream: 'mail', tool: '*' },
      { upstream: 'files', tool: 'stat', prefix: '' },
    ];
    const policy = policyOf(lines, { files: http(), mail: http({ prefix: 'post' }) });
    const catalog = new Catalog(
      policy,
      new Map([catalogue('files', 'read', 'write', 'stat', 'rm'), catalogue('mail', 'send')]),
      none,
    );
    expect(namesOf(catalog)).toEqual([
      'files__read=files/read',
      'fs__write=files/write',
      'post__send=mail/send',
      'stat=files/stat',
    ]);
  });

  it('are what an operator wrote with `as`, even where an upstream names a tool like it', () => {
    const lines = [
      { upstream: 'mail', tool: '*', prefix: '' },
      { upstream: 'files', tool: 'read', as: 'open' },
      { upstream: 'files', tool: '*' },
    ];
    const catalog = new Catalog(
      policyOf(lines),
      new Map([catalogue('files', 'read', 'write'), catalogue('mail', 'open')]),
      none,
    );
    expect(catalog.resolveExposed('dev', 'open')?.canonical).toBe('files/read');
    expect(catalog.resolveExposed('dev', 'files__read')).toBeUndefined();
    expect(catalog.collisions('dev')).toEqual([
      { canonical: 'mail/open', wanted: 'open', takenBy: 'files/read', name: 'open_3806fdb1' },
    ]);
  });

  it('drop the second of two equal `as`, and report it', () => {
    const lines = [
      { upstream: 'files', tool: 'read', as: 'open' },
      { upstream: 'mail', tool: 'open', as: 'open' },
    ];
    const catalog = new Catalog(
      policyOf(lines),
      new Map([catalogue('files', 'read'), catalogue('mail', 'open')]),
      none,
    );
    expect(namesOf(catalog)).toEqual(['open=files/read']);
    expect(catalog.collisions('dev')).toEqual([
      { canonical: 'mail/open', wanted: 'open', takenBy: 'files/read', name: null },
    ]);
  });

  it('are 1-64 of [A-Za-z0-9_-], and stay apart where the change would make them alike', () => {
    const long = 'x'.repeat(100);
    const tools = ['a.b', 'a/b', 'a b', long, `${long}y`, 'ü', '', 'plain'];
    const catalog = new Catalog(
      policyOf([{ upstream: 'files', tool: '*' }]),
      new Map([catalogue('files', ...tools)]),
      none,
    );
    const exposed = catalog.exposedTools('dev');
    expect(exposed.length).toBe(tools.length);
    for (const tool of exposed) {
      expect(tool.exposedName).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      expect(catalog.resolveExposed('dev', tool.exposedName)?.tool).toBe(tool.tool);
    }
    expect(exposed.find((tool) => tool.tool === 'plain')?.exposedName).toBe('files__plain');
  });

  it('do not depend on the order in which an upstream lists its tools, or upstreams loaded', () => {
    const lines = [
      { upstream: 'mail', tool: '*', prefix: '' },
      { upstream: 'files', tool: '*', prefix: '' },
    ];
    const one = new Catalog(
      policyOf(lines),
      new Map([catalogue('files', 'a', 'b'), catalogue('mail', 'b', 'a')]),
      none,
    );
    const other = new Catalog(
      policyOf(lines),
      new Map([catalogue('mail', 'a', 'b'), catalogue('files', 'b', 'a')]),
      none,
    );
    expect(namesOf(one)).toEqual(namesOf(other));
    expect(one.resolveExposed('dev', 'a')?.canonical).toBe('mail/a');
    expect(one.exposedTools('dev').length).toBe(4);
  });
});

describe('the view of a caller', () => {
  const lines = [
    { upstream: 'files', tool: '*' },
    { upstream: 'mail', tool: '*' },
  ];
  const both = new Map([catalogue('files', 'write', 'read'), catalogue('mail', 'send')]);

  it('lists what the caller may call, sorted, the definition untouched but for its name', () => {
    const catalog = new Catalog(policyOf(lines), both, none);
    expect(catalog.visibleTools('dev', caller('readers'))?.tools).toEqual([
      { name: 'files__read', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
    ]);
    const names = catalog.visibleTools('dev', caller('all'))?.tools.map((tool) => tool.name);
    expect(names).toEqual(['files__read', 'files__write', 'mail__send']);
    expect(catalog.visibleTools('dev', caller('nobody'))?.tools).toEqual([]);
  });

  it('gives callers who see the same tools the same list', () => {
    const catalog = new Catalog(policyOf(lines), both, none);
    const list = catalog.visibleTools('dev', caller('all'));
    expect(catalog.visibleTools('dev', caller('all', 'readers'))).toBe(list);
    expect(catalog.visibleTools('dev', caller('readers'))).not.toBe(list);
  });

  it('says which upstreams never loaded, and is unavailable only if none did', () => {
    const partial = new Catalog(policyOf(lines), new Map([catalogue('mail', 'send')]), none);
    expect(partial.visibleTools('dev', caller('all'))).toMatchObject({
      missingUpstreams: ['files'],
      isUnavailable: false,
    });
    const unloaded = new Catalog(policyOf(lines), new Map(), none);
    expect(unloaded.visibleTools('dev', caller('all'))).toMatchObject({ tools: [], isUnavailable: true });
    const empty = new Catalog(policyOf([]), new Map(), none);
    expect(empty.visibleTools('dev', caller('all'))).toMatchObject({ tools: [], isUnavailable: false });
  });

  it('does not know a virtual server by a name of Object.prototype', () => {
    const catalog = new Catalog(policyOf(lines), both, none);
    expect(catalog.hasVirtualServer('constructor')).toBe(false);
    expect(catalog.visibleTools('constructor', caller('all'))).toBeUndefined();
    expect(catalog.resolveExposed('dev', 'constructor')).toBeUndefined();
  });

  it('takes over unchanged tables and follows changed ones', () => {
    const policy = policyOf(lines);
    const before = new Catalog(policy, both, none);
    const list = before.visibleTools('dev', caller('all'));
    expect(new Catalog(policy, new Map(both), none, before).visibleTools('dev', caller('all'))).toBe(list);
    const after = new Catalog(policy, new Map([...both, catalogue('mail', 'send', 'delete')]), none, before);
    expect(after.resolveExposed('dev', 'mail__delete')?.canonical).toBe('mail/delete');
    expect(after.visibleTools('dev', caller('all'))?.tools.length).toBe(4);
  });

  it('does not take over tables of another policy', () => {
    const before = new Catalog(policyOf(lines), both, none);
    const after = new Catalog(policyOf([{ upstream: 'mail', tool: 'send' }]), both, none, before);
    expect(namesOf(after)).toEqual(['mail__send=mail/send']);
  });
});
