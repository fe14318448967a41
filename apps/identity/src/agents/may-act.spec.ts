import { describe, expect, it } from 'vitest';
import { AgentsConfig, MayActRule } from './agents-config.js';
import { mayAct, type MayActQuestion } from './may-act.js';

const rules = [
  MayActRule.parse({ name: 'triage', serviceAccounts: ['svc_1'], groups: ['developers'], virtualServers: ['dev'] }),
  MayActRule.parse({
    name: 'cluster',
    workloads: [{ trustDomain: 'corp', subject: 'spiffe://corp.example/agents/*' }],
    principals: ['usr_ana'],
    virtualServers: ['dev', 'ops'],
    depthMax: 2,
  }),
];
const service: MayActQuestion = {
  actor: { kind: 'service', id: 'svc_1', team: 'sre' },
  subject: { id: 'usr_ana', groups: ['developers'] },
  virtualServer: 'dev',
  depth: 1,
};
const workload: MayActQuestion = {
  ...service,
  actor: { kind: 'spiffe', trustDomain: 'corp', id: 'spiffe://corp.example/agents/triage' },
  virtualServer: 'ops',
  depth: 2,
};

describe('who may act for whom', () => {
  it('is said by the first rule that names both, the virtual server and the depth', () => {
    expect(mayAct(rules, service)?.name).toBe('triage');
    expect(mayAct(rules, workload)?.name).toBe('cluster');
    const team = MayActRule.parse({ name: 'sre', teams: ['sre'], groups: ['developers'], virtualServers: ['dev'] });
    expect(mayAct([team], service)?.name).toBe('sre');
    expect(mayAct([team], { ...service, actor: { kind: 'service', id: 'svc_1', team: 'web' } })).toBeUndefined();
  });

  it.each<[string, MayActQuestion]>([
    ['another service account', { ...service, actor: { kind: 'service', id: 'svc_2', team: 'sre' } }],
    ['a person of no group of the rule', { ...service, subject: { id: 'usr_bo', groups: ['ops'] } }],
    ['another virtual server', { ...service, virtualServer: 'ops' }],
    ['a chain that is too deep', { ...service, depth: 2 }],
    [
      'a workload of another trust domain',
      { ...workload, actor: { ...workload.actor, trustDomain: 'other' } as never },
    ],
    [
      'a workload under another path',
      { ...workload, actor: { ...workload.actor, id: 'spiffe://corp.example/agentsx' } },
    ],
    ['a workload by the name of a service account', { ...workload, actor: { ...workload.actor, id: 'svc_1' } }],
    [
      'a service account by the name of a workload',
      { ...workload, actor: { kind: 'service', id: workload.actor.id, team: 'sre' } },
    ],
  ])('is denied to %s', (_, question) => {
    expect(mayAct(rules, question)).toBeUndefined();
  });

  it('is denied without any rule, and a rule of an unknown trust domain is an error of configuration', () => {
    expect(mayAct([], service)).toBeUndefined();
    expect(AgentsConfig.safeParse({ mayAct: [rules[1]] }).success).toBe(false);
  });
});
