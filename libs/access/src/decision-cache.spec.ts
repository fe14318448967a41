import {
  PolicyDocument,
  type PrincipalState,
  principalStateTopic,
  type TokenState,
  tokenStateTopic,
} from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from './compile-policy.js';
import { DecisionCache } from './decision-cache.js';

const policy = compilePolicy(
  PolicyDocument.parse({
    grants: [{ name: 'developers', effect: 'permit', to: { group: 'developers' }, tools: ['files/*'] }],
  }),
);
const ana: PrincipalState = { ...principalStateTopic.example, version: 1, groups: ['developers'] };
const laptop: TokenState = { ...tokenStateTopic.example, version: 1 };

describe('the decision cache', () => {
  it('gives the same decision object again for a known caller and resource', () => {
    const cache = new DecisionCache(policy);
    const first = cache.decide({ principal: ana, token: laptop }, 'tools/call', 'files/read', true);
    expect(first).toEqual({ effect: 'permit', rule: 'developers' });
    expect(cache.decide({ principal: { ...ana }, token: { ...laptop } }, 'tools/call', 'files/read', true)).toBe(first);
  });

  it('decides anew for a new version of the principal, and of the token', () => {
    const cache = new DecisionCache(policy);
    const decide = (principal: PrincipalState, token: TokenState) =>
      cache.decide({ principal, token }, 'tools/call', 'files/read', true);
    expect(decide(ana, laptop).effect).toBe('permit');
    expect(decide({ ...ana, version: 2, groups: [] }, laptop).effect).toBe('forbid');
    expect(decide({ ...ana, version: 3 }, laptop).effect).toBe('permit');
    expect(decide({ ...ana, version: 3 }, { ...laptop, version: 2, scopes: { tools: [] } }).rule).toBe('token scope');
  });

  it('decides anew for a tool whose new definition no longer says that it only reads', () => {
    const cache = new DecisionCache(policy);
    const reader = { ...laptop, scopes: { tools: null, readOnly: true } };
    const decide = (isReadOnly: boolean) =>
      cache.decide({ principal: ana, token: reader }, 'tools/call', 'files/read', isReadOnly);
    expect(decide(true).effect).toBe('permit');
    expect(decide(false).rule).toBe('token scope: read-only');
    expect(decide(true).effect).toBe('permit');
  });

  it('never answers one principal with the decision of another under the same token id', () => {
    const cache = new DecisionCache(policy);
    cache.decide({ principal: ana, token: laptop }, 'tools/call', 'files/read', true);
    const bob = { ...ana, id: 'usr_bob', groups: [] };
    expect(cache.decide({ principal: bob, token: laptop }, 'tools/call', 'files/read', true).effect).toBe('forbid');
  });

  it('stays right past its bounds', () => {
    const cache = new DecisionCache(policy, { callersMax: 2, decisionsPerCallerMax: 2 });
    for (let round = 0; round < 3; round += 1)
      for (const id of ['t1', 't2', 't3', 't4'])
        for (const tool of ['files/a', 'files/b', 'mail/c']) {
          const decision = cache.decide({ principal: ana, token: { ...laptop, id } }, 'tools/call', tool, true);
          expect(decision.effect).toBe(tool === 'mail/c' ? 'forbid' : 'permit');
        }
  });
});
