import { compilePolicy, DecisionCache } from '@warder/access';
import { Catalog } from '@warder/catalog';
import {
  PolicyDocument,
  type PrincipalState,
  principalStateTopic,
  type TokenState,
  tokenStateTopic,
  type UpstreamCatalogue,
} from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { explain } from './explain.js';

const document = PolicyDocument.parse({
  upstreams: {
    files: { transport: { kind: 'stdio', entry: 'files' } },
    mail: { transport: { kind: 'stdio', entry: 'mail' } },
  },
  virtualServers: {
    dev: {
      tools: [
        { upstream: 'files', tool: 'read', as: 'open' },
        { upstream: 'files', tool: 'rm' },
        { upstream: 'mail', tool: '*' },
      ],
    },
  },
  grants: [
    { name: 'developers', effect: 'permit', to: { group: 'developers' }, tools: ['files/*', 'mail/*'] },
    { name: 'no-rm', effect: 'forbid', to: { principal: 'ana@example.com' }, tools: ['*/rm'] },
  ],
});
const catalogues = new Map<string, UpstreamCatalogue>([
  [
    'files',
    {
      version: 1,
      status: 'active',
      upstream: 'files',
      hash: 'h',
      node: 'n',
      tools: ['read', 'rm', 'write'].map((name) => ({
        hash: name,
        definition: { name, inputSchema: {}, annotations: { readOnlyHint: name === 'read' } },
      })),
    },
  ],
]);
const policy = compilePolicy(document, 7);
const catalog = new Catalog(policy, catalogues, new Map());
const ana: PrincipalState = { ...principalStateTopic.example, groups: ['developers'], email: 'ana@example.com' };
const laptop: TokenState = { ...tokenStateTopic.example, principalId: ana.id, expiresAtMs: 2_000 };
const ask = (
  tool: string,
  virtualServer?: string,
  principal: PrincipalState = ana,
  token: TokenState | null = null,
  nowMs = 1_000,
) => explain({ tool, ...(virtualServer ? { virtualServer } : {}) }, { principal, token }, { policy, catalog, nowMs });

describe('explain', () => {
  it('names the grant that permits, for the exposed and the canonical name alike', () => {
    for (const name of ['open', 'files/read'])
      expect(ask(name, 'dev')).toMatchObject({
        decision: 'permit',
        rule: 'developers',
        why: ['grant developers permits files/read'],
        policyVersion: 7,
        tool: 'files/read',
        exposedNames: ['open'],
        grants: [{ name: 'developers', effect: 'permit', to: { group: 'developers' } }],
      });
  });

  it('says what the flow policy knows of an exposed tool', () => {
    expect(ask('open', 'dev').flow).toEqual({ labels: ['untrusted'], preset: 'balanced', mode: 'flag' });
    expect(ask('files/read').flow).toBeNull();
  });

  it('names the forbid that won, and the permit that it won over', () => {
    const answer = ask('files__rm', 'dev');
    expect(answer).toMatchObject({ decision: 'forbid', rule: 'no-rm', why: ['grant no-rm forbids files/rm'] });
    expect(answer.grants.map((grant) => grant.name)).toEqual(['developers', 'no-rm']);
  });

  it('says that a granted tool is not exposed, and which upstreams never loaded', () => {
    expect(ask('files/write', 'dev')).toMatchObject({
      decision: 'forbid',
      rule: 'not exposed',
      why: [
        'virtual server dev does not expose files/write (never loaded: mail)',
        'grant developers permits files/write',
      ],
    });
    expect(ask('files/write')).toMatchObject({ decision: 'permit', rule: 'developers' });
    expect(ask('nonsense', 'dev')).toMatchObject({ decision: 'forbid', tool: null, rule: 'not exposed', grants: [] });
    expect(ask('nonsense')).toMatchObject({ decision: 'forbid', tool: null, rule: 'not canonical' });
  });

  it('cuts by the scopes of the token, its expiry and revocation, and the state of the principal', () => {
    const scoped = { ...laptop, scopes: { tools: [] } };
    expect(ask('open', 'dev', ana, scoped)).toMatchObject({ decision: 'forbid', rule: 'token scope' });
    expect(ask('open', 'dev', ana, laptop)).toMatchObject({ decision: 'permit' });
    expect(ask('open', 'dev', ana, laptop, 2_000)).toMatchObject({ decision: 'forbid', rule: 'token expired' });
    expect(ask('open', 'dev', ana, { ...laptop, status: 'revoked' })).toMatchObject({ rule: 'token revoked' });
    expect(ask('open', 'dev', { ...ana, status: 'suspended' })).toMatchObject({
      decision: 'forbid',
      rule: 'principal suspended',
    });
  });

  it('names the cut of the token: to virtual servers, and to tools that only read', () => {
    const elsewhere = { ...laptop, scopes: { tools: null, virtualServers: ['lab'] } };
    expect(ask('open', 'dev', ana, elsewhere)).toMatchObject({
      decision: 'forbid',
      rule: 'token scope: virtual server',
      why: ['the scopes of the token do not cover the virtual server dev', 'grant developers permits files/read'],
    });
    expect(ask('files/read', undefined, ana, elsewhere)).toMatchObject({ decision: 'permit' });
    const reader = { ...laptop, scopes: { tools: null, readOnly: true } };
    expect(ask('open', 'dev', ana, reader)).toMatchObject({ decision: 'permit' });
    expect(ask('files/write', undefined, ana, reader)).toMatchObject({
      decision: 'forbid',
      rule: 'token scope: read-only',
      why: ['the token is for tools that only read, and the definition of files/write does not say that it does'],
    });
  });

  it('decides each exposed tool as the path of a call does', () => {
    const decisions = new DecisionCache(policy);
    for (const tool of catalog.exposedTools('dev')) {
      const { effect, rule } = decisions.decide(
        { principal: ana, token: laptop },
        'tools/call',
        tool.canonical,
        tool.isReadOnly,
      );
      expect(ask(tool.exposedName, 'dev', ana, laptop)).toMatchObject({ decision: effect, rule });
    }
  });
});
