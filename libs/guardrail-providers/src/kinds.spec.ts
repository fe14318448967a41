import { GuardrailProvider } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { kindOf } from './kinds.js';

const asked = (text: string) =>
  ({ callId: 'c', tool: 'a/b', virtualServer: 'dev', direction: 'response', text }) as const;
const answerOf = (content: string) => ({ choices: [{ message: { content }, finish_reason: 'stop' }] });
const chat = { url: 'https://models.example/v1', model: 'm' };

describe('an answer that somebody else had a hand in', () => {
  it('puts nothing that a judge read into the word for what it found', () => {
    const judge = kindOf(GuardrailProvider.parse({ kind: 'openai-judge', ...chat }));
    const finding = { kind: 'secret', category: 'AKIAQ3EGRVZJXK7PLM2N' };
    expect(judge.read(answerOf(JSON.stringify({ findings: [finding] })), asked('x'))).toEqual([
      { kind: 'secret', category: 'other' },
    ]);
  });

  it('is no verdict of Llama Guard, and costs nothing, where it is a million line ends', () => {
    const guard = kindOf(GuardrailProvider.parse({ kind: 'llama-guard', ...chat }));
    expect(() => guard.read(answerOf(`unsafe${'\n'.repeat(1_000_000)}x`), asked('x'))).toThrow('longer than a verdict');
  });

  it('is no answer of Bedrock where its matches stand at more places than are kept', () => {
    const settings = { kind: 'bedrock', region: 'eu-central-1', guardrail: 'abc', guardrailVersion: '1' };
    const bedrock = kindOf(GuardrailProvider.parse(settings));
    const answer = (words: number) => ({
      action: 'GUARDRAIL_INTERVENED',
      assessments: [
        { wordPolicy: { customWords: Array.from({ length: words }, () => ({ action: 'BLOCKED', match: 'a' })) } },
      ],
    });
    expect(bedrock.read(answer(1), asked('a'.repeat(9_000)))).toHaveLength(9_000);
    expect(() => bedrock.read(answer(2), asked('a'.repeat(9_000)))).toThrow('more places than are read');
  });
});
