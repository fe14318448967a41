import { describe, expect, it } from 'vitest';
import { greetingText } from './greeting.js';

const greeting = {
  endpoint: 'http://127.0.0.1:8080/mcp/dev',
  adminUrl: 'http://127.0.0.1:8080/admin',
  accountUrl: 'http://127.0.0.1:8080/account',
  token: 'wdr_the-token',
  adminTokenFile: '/data/private/admin-token',
  tokensFile: '/data/private/tokens.json',
  where: '/data',
  passwordLink: 'http://127.0.0.1:8080/sign-in/new-password/link',
};

describe('the greeting', () => {
  it('writes the token into each line of the first start', () => {
    const text = greetingText({ ...greeting, isFirstStart: true });
    expect(text.match(/Bearer wdr_the-token/g)).toHaveLength(4);
    expect(text).not.toContain('WARDER_TOKEN');
    expect(text).toContain('/sign-in/new-password/link');
    expect(text).toContain('http://127.0.0.1:8080/account ');
  });

  it('names the variable later, in the spelling of whoever reads the line, and never the token', () => {
    const text = greetingText({ ...greeting, isFirstStart: false, passwordLink: null });
    expect(text).not.toContain('wdr_');
    expect(text).not.toContain('password');
    expect(text.match(/--header "Authorization: Bearer \$WARDER_TOKEN"/g)).toHaveLength(2);
    expect(text.match(/"Authorization":"Bearer \$\{env:WARDER_TOKEN\}"/g)).toHaveLength(2);
  });
});
