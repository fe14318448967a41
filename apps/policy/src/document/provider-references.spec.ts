import { PolicyDocument } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { checkReferences } from './check-references.js';

const problemsOf = (guardrailProviders: object, lines: object[]) =>
  checkReferences(
    PolicyDocument.parse({ guardrailProviders, virtualServers: { dev: { tools: [], providers: lines } } }),
  );

describe('guardrail providers of a policy', () => {
  const hook = { kind: 'webhook', url: 'https://hook.example.com/a' };

  it('have to exist where a virtual server names them', () => {
    expect(problemsOf({ hook }, [{ provider: 'hook' }])).toEqual([]);
    expect(problemsOf({ hook }, [{ provider: 'hok' }])).toEqual([
      { path: ['virtualServers', 'dev', 'providers', 0, 'provider'], message: 'unknown provider "hok"' },
    ]);
  });

  it('hold no credential', () => {
    const leaky = { ...hook, url: 'https://user:secret@hook.example.com/a' };
    expect(problemsOf({ leaky }, [])).toMatchObject([{ path: ['guardrailProviders', 'leaky', 'url'] }]);
    expect(() => problemsOf({ hook: { ...hook, apiKey: 'x' } }, [])).toThrow('Unrecognized key');
  });

  it('are asked over TLS, but for those at an address that an operator allowed', () => {
    const plain = { kind: 'presidio', url: 'http://presidio.example.com' };
    expect(problemsOf({ plain }, [])).toMatchObject([{ path: ['guardrailProviders', 'plain', 'url'] }]);
    expect(problemsOf({ plain: { ...plain, allowPrivateAddress: true } }, [])).toEqual([]);
    const armor = {
      kind: 'model-armor',
      template: 'projects/p/locations/l/templates/t',
      tokenUrl: 'http://token.example',
    };
    expect(problemsOf({ armor }, [])).toMatchObject([{ path: ['guardrailProviders', 'armor', 'tokenUrl'] }]);
  });

  it('cut nothing out of the original text', () => {
    const line = { provider: 'hook', text: 'original' };
    expect(() => problemsOf({ hook }, [{ ...line, actions: { pii: 'redact' } }])).toThrow(
      'cannot be cut out of the redacted one',
    );
    expect(problemsOf({ hook }, [{ ...line, action: 'block' }])).toEqual([]);
  });
});
