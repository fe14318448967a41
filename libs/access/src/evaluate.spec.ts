import { PolicyDocument } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from './compile-policy.js';
import { coversVirtualServer, evaluate, matchingGrants, type AccessAction } from './evaluate.js';
import type { Subject } from './subject.js';

const ana: Subject = {
  id: 'usr_ana',
  email: 'Ana@Example.com',
  groups: ['developers'],
  roles: ['member'],
  scopes: null,
};
const grant = (name: string, effect: 'permit' | 'forbid', to: object, ...tools: string[]) => ({
  name,
  effect,
  to,
  tools,
});
const developers = { group: 'developers' };
const policyOf = (...grants: object[]) => compilePolicy(PolicyDocument.parse({ grants }), 7);
const ask = (subject: Subject, resource: string, ...grants: object[]) =>
  evaluate({ subject, action: 'tools/call', resource, isReadOnly: false }, policyOf(...grants));

describe('evaluate', () => {
  it('denies what no grant speaks of', () => {
    expect(ask(ana, 'files/read')).toEqual({ effect: 'forbid', rule: 'default deny' });
    expect(ask(ana, 'files/read', grant('others', 'permit', { group: 'sales' }, '*/*'))).toEqual({
      effect: 'forbid',
      rule: 'default deny',
    });
  });

  it('permits by group, by id and by e-mail address in any case, and names the grant', () => {
    expect(ask(ana, 'files/read', grant('devs', 'permit', developers, 'files/*'))).toEqual({
      effect: 'permit',
      rule: 'devs',
    });
    expect(ask(ana, 'files/read', grant('by-id', 'permit', { principal: 'usr_ana' }, 'files/*')).rule).toBe('by-id');
    expect(ask(ana, 'files/read', grant('mail', 'permit', { principal: 'ana@EXAMPLE.com' }, 'files/*')).rule).toBe(
      'mail',
    );
  });

  it('does not fold look-alike letters of an address, nor the case of an id', () => {
    const kelvin = { ...ana, email: '\u212Aim@example.com' };
    expect(ask(kelvin, 'files/read', grant('kim', 'permit', { principal: 'kim@example.com' }, '*/*')).effect).toBe(
      'forbid',
    );
    expect(ask(ana, 'files/read', grant('id', 'permit', { principal: 'USR_ANA' }, '*/*')).effect).toBe('forbid');
  });

  it('does not take an e-mail address without @ for the id of another principal', () => {
    const mallory = { ...ana, id: 'usr_mallory', email: 'usr_root' };
    expect(ask(mallory, 'files/read', grant('root', 'permit', { principal: 'usr_root' }, '*/*')).effect).toBe('forbid');
  });

  it('lets a forbid win over any permit, wherever it stands', () => {
    const permit = grant('all', 'permit', developers, '*/*');
    const forbid = grant('no-delete', 'forbid', { principal: 'usr_ana' }, '*/delete');
    for (const grants of [
      [permit, forbid],
      [forbid, permit],
    ])
      expect(ask(ana, 'files/delete', ...grants)).toEqual({ effect: 'forbid', rule: 'no-delete' });
  });

  it('cuts by the scopes of the token: an empty list denies all, null cuts nothing, a broken pattern permits nothing', () => {
    const all = grant('all', 'permit', developers, '*/*');
    const scoped = (tools: string[] | null) => ask({ ...ana, scopes: { tools } }, 'files/read', all);
    expect(scoped([])).toEqual({ effect: 'forbid', rule: 'token scope' });
    expect(scoped(['files/write'])).toEqual({ effect: 'forbid', rule: 'token scope' });
    expect(scoped(['*'])).toEqual({ effect: 'forbid', rule: 'token scope' });
    expect(scoped(null)).toEqual({ effect: 'permit', rule: 'all' });
    expect(scoped(['files/*'])).toEqual({ effect: 'permit', rule: 'all' });
    expect(ask({ ...ana, scopes: { tools: ['*/*'] } }, 'files/read').rule).toBe('default deny');
  });

  it('lets a read-only token call what says that it only reads, and nothing that says nothing', () => {
    const policy = policyOf(grant('all', 'permit', developers, '*/*'));
    const subject = { ...ana, scopes: { tools: ['files/*'], readOnly: true } };
    const read = (resource: string, isReadOnly: boolean) =>
      evaluate({ subject, action: 'tools/call', resource, isReadOnly }, policy);
    expect(read('files/read', true)).toEqual({ effect: 'permit', rule: 'all' });
    expect(read('files/read', false)).toEqual({ effect: 'forbid', rule: 'token scope: read-only' });
    expect(read('mail/read', true)).toEqual({ effect: 'forbid', rule: 'token scope' });
  });

  it('covers the virtual servers that a token names, all where it names none, and none where its list is empty', () => {
    const covered = (virtualServers?: string[] | null) =>
      coversVirtualServer({ tools: null, ...(virtualServers === undefined ? {} : { virtualServers }) }, 'dev');
    expect([covered(), covered(null), covered(['lab', 'dev'])]).toEqual([true, true, true]);
    expect([covered([]), covered(['lab']), covered(['de', '*'])]).toEqual([false, false, false]);
  });

  it('permits what is built in to its role, from which grants can only take', () => {
    const auditor: Subject = { ...ana, roles: ['auditor'] };
    const everything = grant('all', 'permit', developers, '*/*');
    const named = grant('named', 'permit', developers, 'audit/find_calls');
    const missing = { effect: 'forbid', rule: 'role missing' };
    expect(ask(ana, 'audit/find_calls', everything, named)).toEqual(missing);
    expect(ask({ ...ana, roles: ['admin', 'operator'] }, 'audit/find_calls', everything)).toEqual(missing);
    expect(ask(auditor, 'audit/find_calls')).toEqual({ effect: 'permit', rule: 'built-in audit' });
    expect(ask(auditor, 'files/read').rule).toBe('default deny');
    const forbid = grant('not-whole', 'forbid', developers, 'audit/get_call');
    expect(ask(auditor, 'audit/get_call', forbid)).toEqual({ effect: 'forbid', rule: 'not-whole' });
    expect(ask({ ...auditor, scopes: { tools: ['files/*'] } }, 'audit/get_call').rule).toBe('token scope');
  });

  it('denies a method that it does not know and a resource that is not canonical', () => {
    const policy = policyOf(grant('all', 'permit', developers, '*/*'));
    const asked = { subject: ana, isReadOnly: true };
    expect(evaluate({ ...asked, action: 'prompts/get' as AccessAction, resource: 'files/read' }, policy).effect).toBe(
      'forbid',
    );
    expect(evaluate({ ...asked, action: 'tools/call', resource: 'files__read' }, policy).effect).toBe('forbid');
  });

  it('answers what a brute-force reading of the document answers', () => {
    const random = seeded(20_261);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const halves = ['a', 'b', 'ab', 'ba', 'aba'];
    const stars = [...halves, '*', 'a*', '*a', '*b*', 'a*a', '**'];
    for (let round = 0; round < 3_000; round += 1) {
      const grants = Array.from({ length: Math.floor(random() * 6) }, (_, at) =>
        grant(
          `g${at}`,
          pick(['permit', 'forbid', 'permit'] as const),
          pick([{ group: 'x' }, { group: 'y' }, { principal: 'p' }, { principal: 'p@q' }]),
          ...Array.from({ length: 1 + Math.floor(random() * 2) }, () => `${pick(stars)}/${pick(stars)}`),
        ),
      );
      const subject: Subject = {
        id: pick(['p', 'q']),
        email: pick([null, 'P@q']),
        groups: pick([[], ['x'], ['y', 'x'], ['x', 'x']]),
        roles: [],
        scopes: {
          tools: pick([null, null, [], ['*/*'], ['a*/b', 'ab/*']]),
          ...pick([{}, { readOnly: false }, { readOnly: true }]),
        },
      };
      const resource = `${pick(halves)}/${pick(halves)}`;
      const isReadOnly = pick([true, false]);
      const policy = policyOf(...grants);
      const decided = evaluate({ subject, action: 'tools/call', resource, isReadOnly }, policy);
      expect(decided).toEqual(oracle(subject, resource, isReadOnly, grants));
      // The effective right is never more than the owner's, and never more than what the token is for.
      if (decided.effect === 'forbid') continue;
      const owner = { ...subject, scopes: null };
      expect(evaluate({ subject: owner, action: 'tools/call', resource, isReadOnly }, policy)).toEqual(decided);
      const openToAll = policyOf(grant('open', 'permit', { principal: subject.id }, '*/*'));
      expect(evaluate({ subject, action: 'tools/call', resource, isReadOnly }, openToAll).effect).toBe('permit');
    }
  });

  it('lists every grant that speaks of the request, once, in the order of the document', () => {
    const policy = policyOf(
      grant('second-group', 'permit', { group: 'ops' }, 'files/*'),
      grant('other', 'permit', developers, 'mail/*'),
      grant('first-group', 'forbid', developers, 'files/read'),
    );
    const subject = { ...ana, groups: ['developers', 'ops', 'developers'] };
    const names = matchingGrants({ subject, resource: 'files/read' }, policy).map((each) => each.name);
    expect(names).toEqual(['second-group', 'first-group']);
  });
});

interface PlainGrant {
  name: string;
  effect: string;
  to: object;
  tools: string[];
}

/** The rules read off the document with nothing compiled, indexed or shared with the code under test. */
function oracle(subject: Subject, resource: string, isReadOnly: boolean, grants: readonly PlainGrant[]) {
  const covers = (pattern: string) => {
    const [upstream = '', tool = ''] = pattern.split('/').map((half) => half.replaceAll('*', '[^/]*'));
    return new RegExp(`^${upstream}/${tool}$`).test(resource);
  };
  const speaks = (one: PlainGrant) => {
    const to = one.to as { group?: string; principal?: string };
    const isMeant =
      to.group !== undefined
        ? subject.groups.includes(to.group)
        : to.principal === subject.id || to.principal === subject.email?.toLowerCase();
    return isMeant && one.tools.some(covers);
  };
  const forbid = grants.find((one) => one.effect === 'forbid' && speaks(one));
  if (forbid) return { effect: 'forbid', rule: forbid.name };
  const permit = grants.find((one) => one.effect === 'permit' && speaks(one));
  if (!permit) return { effect: 'forbid', rule: 'default deny' };
  const scope = subject.scopes?.tools ?? null;
  if (scope !== null && !scope.some(covers)) return { effect: 'forbid', rule: 'token scope' };
  if (subject.scopes?.readOnly === true && !isReadOnly) return { effect: 'forbid', rule: 'token scope: read-only' };
  return { effect: 'permit', rule: permit.name };
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
