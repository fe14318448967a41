import { parseJson } from '@warder/mcp-wire';
import { describe, expect, it } from 'vitest';
import type { Credentialed } from '../pipeline/call.js';
import type { Guardrails } from '../pipeline/gateway.js';
import { shownArguments } from './call-binding.js';

const guardrails = { screen: (value: unknown) => ({ value }) } as unknown as Guardrails;
const shown = (json: string) =>
  shownArguments({ cleanArgs: parseJson(json), cleanMeta: {} } as unknown as Credentialed, guardrails);

describe('what people are shown of a call', () => {
  it('is its arguments as a value', () => {
    expect(shown('{"to":"ana"}')).toEqual({ bytes: 26, value: { arguments: { to: 'ana' } } });
  });

  it.each(['9007199254740993', '12345678901234567890', '1e400', '0.10000000000000000555'])(
    'is %s to its last digit, for another number would be approved of',
    (number) => {
      expect(shown(`{"account":${number}}`)).toMatchObject({ head: `{"arguments":{"account":${number}}}` });
    },
  );
});
