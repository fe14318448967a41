/**
 * Writes docs/provider-catalog.md and docs/provider-entry.schema.json from libs/provider-catalog; a spec compares both
 * with what this writes.
 * Usage: node tools/providers-doc.mjs (after `npm run build`)
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';

const PROVIDERS = new URL('../libs/provider-catalog/providers/', import.meta.url);
const DAY_SECONDS = 86_400;

/** The entries on the disk, by `parseProvider`. */
export function readProviders(parseProvider) {
  const files = readdirSync(PROVIDERS).toSorted();
  return files.map((file) => parseProvider(file, readFileSync(new URL(file, PROVIDERS), 'utf8')));
}

/** The schema of a file, for editors and for whoever writes one. */
export async function providerSchema(ProviderEntry) {
  const { $schema, ...schema } = z.toJSONSchema(ProviderEntry, { io: 'input', unrepresentable: 'any' });
  const document = { $schema, title: 'A provider of the catalogue', ...schema };
  return formatted(JSON.stringify(document), 'provider-entry.schema.json');
}

/** The page for people. */
export async function providersPage(entries) {
  const head = ['provider', 'client', 'PKCE', 'a refresh', 'access token, where no end is told', 'consent', 'ended by'];
  const rows = entries.map((entry) => [
    `[${entry.title}](#${anchorOf(entry.title)})`,
    entry.token.authentication.map((method) => `\`${method}\``).join(', '),
    entry.authorization.pkce,
    REFRESH[entry.refresh.rotation],
    lasting(entry.lifetimes.accessSeconds, 'until revoked'),
    consentOf(entry.lifetimes),
    ENDED[entry.revocation.kind],
  ]);
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  return formatted([INTRODUCTION, table, OWN, ...entries.map(sectionOf)].join('\n\n'), 'provider-catalog.md');
}

const REFRESH = {
  'no-refresh-token': 'there is none',
  none: 'keeps the refresh token',
  rotates: 'replaces the refresh token',
  'rotates-and-kills-access': 'replaces it, and ends the old access token',
};
const ENDED = { rfc7009: 'RFC 7009', request: 'its own request', none: 'nobody here' };

const INTRODUCTION = `# Providers

Written by \`tools/providers-doc.mjs\` from \`libs/provider-catalog/providers\`; change those files and run it again.

A provider is whoever gives tokens for accounts: its entry says where people consent, where tokens are had, refreshed and
ended, and all in which it differs from others. Each entry was written from the provider's own documents, which it names
with the day; what they do not say is not made up. A test connects, refreshes and ends a connection by each entry at a
server that refuses whatever is not documented.

What "a refresh" column says matters while calls run: where the old access token ends, a call on another node may be
answered with 401 once, which is normal and is retried with the new token.`;

const OWN = `## One that is not here

\`internal-oauth\` serves any authorization server that keeps to the RFCs: every endpoint is a parameter. For one that does
not, write a file of the form that [provider-entry.schema.json](provider-entry.schema.json) says (its first line tells
editors so). A URL has parameters in braces; a \`label\` is a part of a name within the provider's own domain, a \`host\` is a
whole host, a \`url\` a whole URL. Only a host or URL that an operator typed in may be a private address; what stands in the
entry, or comes from anybody's document, is fetched over TLS from public addresses alone.

An MCP server that names its authorization server needs no entry: the catalogue makes one of its metadata (RFC 9728,
RFC 8414). They must be of that server and of that issuer to the byte, with PKCE by S256 and endpoints over TLS. Our
client there is a metadata document of ours or one of dynamic registration, and both, with all tokens, are of that issuer alone:
[connections](connections.md#mcp-servers-that-say-it-themselves).`;

function sectionOf(entry) {
  const parameters = Object.entries(entry.parameters).map(([name, parameter]) => {
    const optional = parameter.isOptional ? ', optional' : '';
    const said =
      parameter.default === undefined ? `as \`${parameter.example}\`` : `\`${parameter.default}\` if not said`;
    const values =
      parameter.values === undefined ? '' : `; one of ${parameter.values.map((each) => `\`${each}\``).join(', ')}`;
    return `- \`${name}\`: ${parameter.title.toLowerCase()}, ${said}${values}${optional}`;
  });
  const { required, default: usual } = entry.scopes;
  const scopes = [...required, ...usual].map((scope) => `\`${scope}\``).join(' ');
  return [
    `## ${entry.title}`,
    `\`${entry.id}\`. ${entry.description}`,
    ...(parameters.length === 0 ? [] : [`Parameters:\n\n${parameters.join('\n')}`]),
    ...(scopes === ''
      ? []
      : [`Scopes: ${scopes}${required.length === 0 ? '' : ` (always the first ${required.length})`}.`]),
    entry.quirks.map((quirk) => `- ${quirk}`).join('\n'),
    ...(entry.revocation.kind === 'none' ? [entry.revocation.because] : []),
    `Documents: ${entry.sources.map(({ url, readOn }) => `<${url}> (${readOn})`).join(', ')}.`,
  ].join('\n\n');
}

function consentOf({ refreshIdleSeconds, absoluteSeconds }) {
  const idle = refreshIdleSeconds === null ? [] : [`${lasting(refreshIdleSeconds)} unused`];
  const absolute = absoluteSeconds === null ? [] : [`${lasting(absoluteSeconds)} in all`];
  return [...idle, ...absolute].join(', ') || 'no end documented';
}

function lasting(seconds, otherwise) {
  if (seconds === null) return otherwise;
  if (seconds % DAY_SECONDS === 0) return counted(seconds / DAY_SECONDS, 'day');
  return seconds % 3_600 === 0 ? counted(seconds / 3_600, 'hour') : counted(seconds / 60, 'minute');
}

const counted = (count, unit) => `${count} ${unit}${count === 1 ? '' : 's'}`;

const anchorOf = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');

// As the formatter's check wants it, so that nobody reformats a generated page.
async function formatted(text, name) {
  const file = fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { parseProvider, ProviderEntry } = await import('../libs/provider-catalog/dist/index.js');
  const docs = new URL('../docs/', import.meta.url);
  writeFileSync(new URL('provider-catalog.md', docs), await providersPage(readProviders(parseProvider)));
  writeFileSync(new URL('provider-entry.schema.json', docs), await providerSchema(ProviderEntry));
}
