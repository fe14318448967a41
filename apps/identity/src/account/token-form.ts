import { IssueOwnToken, RotateToken } from '@warder/contracts';
import { PageError } from '@warder/pages';

/** What somebody filled in, to be shown again beside what is wrong with it. */
export interface TokenFields {
  readonly name: string;
  readonly days: string;
  readonly servers: string;
  readonly tools: string;
  readonly addresses: string;
  readonly isReadOnly: boolean;
}

/** What is read of each field at most; the form itself has its own bound. */
const FIELD_CHARS_MAX = 8_000;

/** The fields of the form for a new token. */
export function tokenFieldsOf(form: URLSearchParams): TokenFields {
  const text = (name: string): string => (form.get(name) ?? '').slice(0, FIELD_CHARS_MAX).trim();
  return {
    name: text('name'),
    days: text('days'),
    servers: text('servers'),
    tools: text('tools'),
    addresses: text('addresses'),
    isReadOnly: form.get('readOnly') === 'yes',
  };
}

/**
 * The token that is asked for. What is left empty cuts nothing.
 * @returns a sentence for the person where it cannot be one
 */
export function tokenOf(fields: TokenFields): IssueOwnToken | string {
  const { name, days, isReadOnly } = fields;
  const [servers, tools, addresses] = [listOf(fields.servers), listOf(fields.tools), listOf(fields.addresses)];
  const asked = IssueOwnToken.safeParse({
    name,
    ...(days === '' ? {} : { expiresInDays: Number(days) }),
    scopes: {
      tools: tools.length === 0 ? null : tools,
      ...(servers.length === 0 ? {} : { virtualServers: servers }),
      ...(isReadOnly ? { readOnly: true } : {}),
      ...(addresses.length === 0 ? {} : { addresses }),
    },
  });
  return asked.success ? asked.data : whatIsWrong(String(asked.error.issues[0]?.path.find(isField) ?? ''));
}

/** What is asked for an old token: how long its old secret goes on. @throws PageError 400 */
export function rotationOf(form: URLSearchParams): RotateToken {
  const asked = RotateToken.safeParse({ graceSeconds: Number(form.get('grace') ?? '') });
  if (!asked.success || form.get('grace') === null) throw new PageError(400, 'There is no such time of grace.');
  return asked.data;
}

const SENTENCES: Readonly<Record<string, string>> = {
  name: 'A token has a name, of 200 characters at most.',
  expiresInDays: 'A token lives a whole number of days, one or more.',
  tools: 'A tool is written server/tool, such as tickets/search_issues or tickets/*; one on each line.',
  virtualServers: 'A server has the name at the end of its address: dev for /mcp/dev; one on each line.',
  addresses: 'An address is written 10.1.2.3, and a network 10.1.0.0/16 or 2001:db8::/32; one on each line.',
};

function isField(part: PropertyKey): boolean {
  return typeof part === 'string' && Object.hasOwn(SENTENCES, part);
}

function whatIsWrong(field: string): string {
  return SENTENCES[field] ?? 'This cannot be a token.';
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== '');
}
