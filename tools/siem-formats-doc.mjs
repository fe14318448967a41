/**
 * Writes docs/siem/formats.md from what libs/siem-format does: each field of a record is changed in turn, and the page
 * names the paths that changed with it. A spec compares the page with what this writes.
 * Usage: node tools/siem-formats-doc.mjs (after `npm run build`)
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

// Free text that repeats other members would stand in half of the rows.
const LEFT_OUT = new Set(['message']);

/**
 * The page: per field of a record its place in each format, and what stands in every event whatever the record says.
 * @param formats - `RECORD_FIELDS`, `ocsfEvent` and `ecsDocument`
 * @param example - a record; its members are replaced by ones that all say something
 */
export async function siemFormatsPage({ RECORD_FIELDS, ocsfEvent, ecsDocument }, example) {
  const writers = { ocsf: ocsfEvent, ecs: ecsDocument };
  const reached = { ocsf: new Set(), ecs: new Set() };
  const rows = RECORD_FIELDS.map((field) => {
    const changed = Object.entries(writers).map(([name, write]) => {
      const paths = changedPaths(write, variantsOf(field.field, example));
      for (const path of paths) reached[name].add(path);
      return paths.map(code).join(' ') || 'not there';
    });
    const cef = field.cefLabel === undefined ? code(field.cef) : `${code(field.cef)} (${field.cefLabel})`;
    return [code(field.field), ...changed, cef, code(field.leef)];
  });
  const [whole] = variantsOf('recordId', example);
  const constants = Object.entries(writers).flatMap(([name, write]) =>
    [...leavesOf(write(...whole))]
      .filter(([path]) => !reached[name].has(path) && !LEFT_OUT.has(path))
      .map(([path, value]) => [name.toUpperCase(), code(path), code(JSON.stringify(value))]),
  );
  return formatted(pageOf(rows, constants));
}

function pageOf(rows, constants) {
  return [
    '# What a record is in each format',
    '',
    'Written by `tools/siem-formats-doc.mjs` from what `libs/siem-format` does; run it again after a change there. The',
    'fields are those of [`warder.audit.recorded.v1`](../topics.md#warderauditrecordedv1), beside `leafHash`, the hash of',
    'the record in its Merkle log, and `cut`, which stands only where a message was cut. The salt leaves in no format.',
    '',
    '- The columns OCSF and ECS are of a tool call. OCSF has other classes for other kinds: an authentication is',
    '  Authentication (3002), a change at an admin door Entity Management (3004), an export, an erasure and a gap Event Log',
    '  Activity (1008); everything else is API Activity (6003). Outside of 6003 there is no `api`: method, upstream, tool,',
    '  `claimed`, arguments and result stand in `unmapped`.',
    '- Severity is informational only for what was allowed and done; denied, blocked, lost and unknown stand above it.',
    '- ECS holds arguments and result as JSON text, so that a hostile key makes no field of an index.',
    '- CEF and LEEF leave out what is empty. A character that would end a line, or a value of LEEF, becomes U+FFFD; in JSON',
    '  and in values of CEF it is escaped.',
    '- `message` of OCSF repeats kind, tool, decision, outcome and code for people.',
    '',
    tableOf(['record', 'OCSF 1.8.0', 'ECS', 'CEF', 'LEEF'], rows),
    '',
    '## What stands in each event of a tool call',
    '',
    tableOf(['format', 'path', 'value'], constants),
    '',
  ].join('\n');
}

const HASH = (digit) => digit.repeat(64);
// Two values of the fields of which not any text will do; everything else is changed by a letter.
const VALUES = {
  kind: ['call', 'session'],
  decision: ['permit', 'forbid'],
  outcome: ['success', 'unknown'],
  isError: [false, true],
  capture: ['full', 'request'],
  'principal.kind': ['human', 'service'],
  'principal.groups': [['a'], ['b']],
  actorChain: [[{ id: 'a', kind: 'service' }], [{ id: 'b', kind: 'service' }]],
  'personal.principal.email': ['a@example.com', 'b@example.com'],
  'personal.address (IPv4)': ['10.0.0.1', '10.0.0.2'],
  'personal.address (IPv6)': ['2001:db8::1', '2001:db8::2'],
  'personal.address (other)': ['a', 'b'],
  flow: [
    { action: 'flag', rule: 'r', run: 'a', chain: [] },
    { action: 'flag', rule: 'r', run: 'b', chain: [] },
  ],
  phasesUs: [{ total: 1_000 }, { total: 2_000 }],
};

/** The record twice, with one field changed, each with its notes. */
function variantsOf(field, example) {
  const notes = { leafHash: HASH('a'), cut: { bytes: 9_000, sha256: HASH('b'), pointer: '/p' } };
  const base = { ...structuredClone(example), ...structuredClone(EVERY_MEMBER) };
  const path = field.replace(/ .*/, '').split('.');
  // The hash of a capture stands beside its head, the value instead of it.
  const capture = path[1] === 'arguments' || path[1] === 'result' ? path[1] : undefined;
  if (path[2] === 'sha256') base.personal[capture] = { bytes: 1, head: 'h', sha256: HASH('c') };
  const before = [base, notes];
  const after = structuredClone(before);
  const [from, to] = VALUES[field] ?? [undefined, undefined];
  for (const [variant, value] of [
    [before, from],
    [after, to],
  ]) {
    const holder = path
      .slice(0, -1)
      .reduce((at, name) => at[name], 'cut leafHash'.includes(path[0]) ? variant[1] : variant[0]);
    const name = path.at(-1);
    if (field === 'findings') holder.findings[0].place = variant === before ? '/a' : '/b';
    else holder[name] = value ?? (variant === before ? holder[name] : another(holder[name]));
  }
  return [before, after];
}

const another = (value) => (typeof value === 'number' ? value + 1_024 : `${value}x`);

const EVERY_MEMBER = {
  index: 40,
  actorChain: [],
  verified: { client: 'c', by: 'b' },
  traceId: 't',
  refusal: { code: 'WDR_UPSTREAM_FAILED' },
  findings: [{ detector: 'email', category: 'pii', action: 'flag', phase: 'request', place: '/a', count: 1 }],
  personal: {
    salt: 'c2FsdHNhbHRzYWx0c2FsdA',
    principal: { name: 'n', email: 'a@example.com' },
    agent: { name: 'g' },
    claimed: { name: 'm', version: 'v' },
    address: '10.0.0.1',
    arguments: { bytes: 1, value: 'a' },
    refusalDetail: 'd',
    result: { bytes: 2, value: 'r' },
  },
};

function changedPaths(write, [before, after]) {
  const old = leavesOf(write(...before));
  const now = leavesOf(write(...after));
  const paths = new Set([...old.keys(), ...now.keys()]);
  return [...paths].filter((path) => old.get(path) !== now.get(path) && !LEFT_OUT.has(path));
}

/** Every value that is no object, by its path. */
function leavesOf(value, path = '', leaves = new Map()) {
  if (typeof value !== 'object' || value === null) return leaves.set(path, value);
  for (const [name, member] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[]` : path === '' ? name : `${path}.${name}`;
    leavesOf(member, at, leaves);
  }
  return leaves;
}

const code = (text) => `\`${text}\``;

function tableOf(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

// As the formatter's check wants it, so that nobody reformats a generated page.
async function formatted(text) {
  const file = fileURLToPath(new URL('../docs/siem/formats.md', import.meta.url));
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const formats = await import('../libs/siem-format/dist/index.js');
  const { auditRecordedTopic } = await import('../libs/contracts/dist/index.js');
  const page = await siemFormatsPage(formats, auditRecordedTopic.example);
  writeFileSync(new URL('../docs/siem/formats.md', import.meta.url), page);
}
