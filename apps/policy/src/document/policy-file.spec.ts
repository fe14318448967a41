import { describe, expect, it } from 'vitest';
import { parsePolicyFile, PolicyFileError } from './policy-file.js';

const GOOD = `# the whole policy
upstreams:
  files:
    transport: { kind: stdio, entry: files }
  mail:
    transport:
      kind: streamable-http
      url: https://mail.example.com/mcp
virtualServers:
  dev:
    tools:
      - { upstream: files, tool: read, as: open }
      - { upstream: mail, tool: '*' }
grants:
  - name: developers
    effect: permit
    to: { group: developers }
    tools: ['files/*', '*/send']
`;

const problemsOf = (text: string): readonly string[] => {
  try {
    parsePolicyFile(text, 'warder.yaml');
  } catch (error) {
    if (error instanceof PolicyFileError) return error.problems;
    throw error;
  }
  return [];
};

describe('a policy file', () => {
  it('is read whole, defaults filled in', () => {
    const document = parsePolicyFile(GOOD, 'warder.yaml');
    expect(Object.keys(document.upstreams)).toEqual(['files', 'mail']);
    expect(document.limit).toEqual({ callsPerMinute: 600, burst: 120 });
  });

  it.each([
    [
      'unknown key',
      '    effect: permit',
      '    effect: permit\n    efect: x',
      ['warder.yaml:17: grants.0.efect: unknown key'],
    ],
    [
      'unknown upstream',
      'upstream: mail',
      'upstream: male',
      ['warder.yaml:13: virtualServers.dev.tools.1.upstream: unknown upstream "male"'],
    ],
    [
      'pattern of an unknown upstream',
      "'files/*'",
      "'flies/*'",
      ['warder.yaml:18: grants.0.tools.0: unknown upstream "flies"'],
    ],
    [
      'pattern that covers no upstream',
      "'files/*'",
      "'x*/*'",
      ['warder.yaml:18: grants.0.tools.0: "x*" covers no upstream'],
    ],
    [
      'name of what is built in',
      '  files:\n    transport: { kind: stdio, entry: files }',
      '  files:\n    transport: { kind: stdio, entry: files }\n  audit:\n    transport: { kind: stdio, entry: files }',
      ['warder.yaml:5: upstreams.audit: this name is of what is built in'],
    ],
    [
      '`as` of a pattern',
      'tool: read, as',
      "tool: 're*', as",
      ['warder.yaml:12: virtualServers.dev.tools.0.as: one name cannot stand for a pattern of tools'],
    ],
    [
      'password in a URL',
      'https://mail',
      'https://u:p@mail',
      ['warder.yaml:8: upstreams.mail.transport.url: holds a user name or password: store it with /admin/credentials'],
    ],
    ['missing key', '    effect: permit\n', '', ['warder.yaml:15: grants.0.effect: missing']],
    [
      'group that is no name',
      'group: developers',
      'group: No Name',
      ['warder.yaml:17: grants.0.to.group: a name is 1-40 of a-z, 0-9 and "-", not at its ends'],
    ],
    [
      'upstream that is no name',
      '  mail:',
      '  Mail_1:',
      ['warder.yaml:5: upstreams.Mail_1: a name is 1-40 of a-z, 0-9 and "-", not at its ends'],
    ],
    [
      'a command in a policy',
      'entry: files',
      'entry: files, command: sh',
      ['warder.yaml:4: upstreams.files.transport.command: unknown key'],
    ],
  ])('names line and key of a problem: %s', (_what, from, to, expected) => {
    expect(GOOD).toContain(from);
    expect(problemsOf(GOOD.replace(from, to))).toEqual(expected);
  });

  it('tells every problem, not only the first', () => {
    expect(problemsOf(GOOD.replace('upstream: mail', 'upstream: male').replace("'*/send'", "'flies/x'"))).toHaveLength(
      2,
    );
  });

  it('refuses a grant name that stands twice, in a forbid as well', () => {
    const twice = `${GOOD}  - { name: developers, effect: forbid, to: { principal: ana@example.com }, tools: ['*/rm'] }\n`;
    expect(problemsOf(twice)).toEqual(['warder.yaml:19: grants.1.name: "developers" stands twice']);
  });

  it('names the line of what is not YAML, and of a key that stands twice', () => {
    expect(problemsOf('grants: []\nupstreams: {\n')[0]).toMatch(/^warder\.yaml:[23]: /);
    expect(problemsOf('grants: []\nlimit: {}\ngrants: []\n')).toEqual(['warder.yaml:3: Map keys must be unique']);
  });

  it('does not take an empty file for a policy that permits nothing', () => {
    for (const text of ['', '# nothing\n', '---\n', 'null\n']) expect(problemsOf(text)[0]).toMatch(/holds no policy/);
    expect(problemsOf('{}')).toEqual([]);
  });

  it('does not unfold a bomb of aliases', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) =>
        `a${at}: &a${at} [${Array(9)
          .fill(at ? `*a${at - 1}` : 'x')
          .join(', ')}]`,
    );
    expect(problemsOf(levels.join('\n'))[0]).toMatch(/^warder\.yaml:1: /);
  });
});
