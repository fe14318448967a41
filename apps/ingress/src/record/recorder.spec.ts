import { ActionRules, GuardrailActions } from '@warder/contracts';
import { BUILT_IN_PACKS, createEngine } from '@warder/detectors';
import { revisionOf } from '@warder/mcp-wire';
import { expect, it } from 'vitest';
import type { Answered, Call } from '../pipeline/call.js';
import { screenResult } from '../pipeline/steps/screen.js';
import { Recorder } from './recorder.js';
import type { RefusalCounter } from './refusal-counter.js';

it('records no part of an answer that a rule took out, though it masks another part itself', async () => {
  const rules = [
    { name: 'ips', detector: 'pii.ipv4', action: 'redact' },
    { name: 'mails', detector: 'pii.email', action: 'log' },
  ];
  const pack = { version: 1, status: 'active' as const, pack: 'actions', detectors: [] };
  const engine = createEngine([
    { ...pack, pack: 'pii', detectors: [...BUILT_IN_PACKS.pii] },
    { ...pack, actions: ActionRules.parse(rules) },
  ]);
  const words = { request: GuardrailActions.parse({}), response: GuardrailActions.parse({}) };
  const tool = { upstream: 'wiki', tool: 'read' };
  const call = {
    findings: [],
    capture: 'full',
    virtualServer: 'dev',
    principal: {},
    recordSequence: 1,
    phases: { json: () => '{}' },
    revision: revisionOf('2026-07-28')!,
    screening: engine.actionsFor(words, { virtualServer: 'dev', tool, groups: [] }),
    answer: { result: { content: [{ type: 'text', text: 'ana@example.com at 81.2.69.142' }] } },
  };
  const face = { server: { name: 'warder', version: '0' }, capabilities: {} };
  const { released } = screenResult(call as unknown as Answered, engine, face);
  expect(released.text).toContain('ana@example.com at [redacted:pii.ipv4]');
  const written: string[] = [];
  const journal = {
    append: async () => 1,
    openIntent: () => ({ sequence: 1, written: Promise.resolve() }),
    closeIntent: async (_sequence: number, outcome: string) => void written.push(outcome),
  };
  const guardrails = () => engine;
  const counter = {} as RefusalCounter;
  const recorder = new Recorder({ node: 'n', journal, counter, guardrails, isStrict: () => false });
  await recorder.close({ ...call, released } as unknown as Call, { kind: 'answered', ...released });
  expect(written.join()).toContain('[redacted:pii.email] at [redacted:pii.ipv4]');
});
