import { generateKeyPairSync } from 'node:crypto';
import { parseJson, stringifyJson } from '@warder/mcp-wire';
import { expect, it } from 'vitest';
import { withoutCredential } from './credential-mask.js';

const MASK = '[redacted:secret.upstream-credential]';
const headers = { kind: 'headers' as const, values: { authorization: 'Bearer zulu-7f3a-canary', 'x-team': 'a' } };

it('takes a credential out wherever it stands, with its scheme and without', () => {
  const answer = {
    result: {
      content: [{ type: 'text', text: 'sent "authorization: Bearer zulu-7f3a-canary" and zulu-7f3a-canary' }],
      'zulu-7f3a-canary': { deep: ['zulu-7f3a-canary', 1, null] },
    },
  };
  const before = structuredClone(answer);
  expect(withoutCredential(answer, headers)).toEqual({
    result: {
      content: [{ type: 'text', text: `sent "authorization: ${MASK}" and ${MASK}` }],
      [MASK]: { deep: [MASK, 1, null] },
    },
  });
  expect(answer).toEqual(before);
});

it('takes a password out that an upstream read of Basic credentials', () => {
  const basic = { authorization: `Basic ${Buffer.from('robot:zulu-pässword').toString('base64')}` };
  const said = 'no robot:zulu-pässword, nor zulu-pässword, nor robot';
  expect(withoutCredential({ said }, { kind: 'headers', values: basic })).toEqual({
    said: `no ${MASK}, nor ${MASK}, nor robot`,
  });
});

it('hands on the same value where there is nothing to take out', () => {
  const answer = { result: { content: [{ type: 'text', text: 'a Bearer of news' }] } };
  expect(withoutCredential(answer, headers)).toBe(answer);
  expect(withoutCredential(answer, null)).toBe(answer);
});

it('keeps numbers to the digit, and a member called __proto__', () => {
  const text = '{"n":9007199254740993,"__proto__":{"k":1e400},"t":"zulu-7f3a-canary"}';
  const clean = stringifyJson(withoutCredential(parseJson(text, 8), headers));
  expect(clean).toBe(`{"n":9007199254740993,"__proto__":{"k":1e400},"t":"${MASK}"}`);
});

it.each(['rsa', 'ec', 'ed25519'] as const)('takes a private key (%s) out in every form of its base64', (type) => {
  const options = { modulusLength: 2_048, namedCurve: 'P-256' };
  const { privateKey } = generateKeyPairSync(type as 'rsa', options as { modulusLength: number });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const own = type === 'ed25519' ? pem : privateKey.export({ type: type === 'rsa' ? 'pkcs1' : 'sec1', format: 'pem' });
  const credential = { kind: 'client-certificate' as const, certificate: 'CERT', key: pem };
  for (const shown of [pem, String(own)]) {
    const lines = shown.split('\n').filter((line) => line !== '' && !line.startsWith('--'));
    const forms = [
      shown,
      shown.replaceAll('\n', '\r\n'),
      JSON.stringify(shown),
      lines.join(''),
      lines.join(' '),
      lines[0],
    ];
    for (const form of forms) {
      const clean = withoutCredential({ said: `key: ${form}!` }, credential).said;
      expect(clean).toContain(MASK);
      for (const line of lines.filter(({ length }) => length >= 16)) expect(clean).not.toContain(line);
    }
  }
  const said = 'the certificate is CERT';
  expect(withoutCredential({ said }, credential)).toEqual({ said });
});

it('takes AWS keys out, as they are and as a URL has them, and leaves the id', () => {
  const keys = {
    accessKeyId: 'AKIDEXAMPLE000000',
    secretAccessKey: 'ab/cd+efghijklmnop',
    sessionToken: 'tok/en+of=sixteen',
  };
  const credential = { kind: 'aws-sigv4' as const, ...keys, region: 'eu-west-1', service: 'aws-mcp' };
  const said = `AKIDEXAMPLE000000 ab/cd+efghijklmnop ab%2Fcd%2Befghijklmnop ab\\/cd+efghijklmnop tok/en+of=sixteen`;
  expect(withoutCredential({ said }, credential)).toEqual({
    said: `AKIDEXAMPLE000000 ${MASK} ${MASK} ${MASK} ${MASK}`,
  });
});
