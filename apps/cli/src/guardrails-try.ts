import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { AuditRecord, ChangeCustomRules, CustomRules } from '@warder/contracts';
import { EXACT_CHARS, exactShape, normalValue, RuleComparison, type RuleComparisonReport } from '@warder/detectors';
import type { Output } from './audit-verify.js';

export const TRY_USAGE = `warder guardrails try RULES.json [--days 7] [--records 100000] [--url URL] [--json]

Says what rules of your own would have found in the recorded calls of the last days, against those in force; publishes nothing.
RULES.json is what PUT /admin/guardrails/custom takes. The records are exported to this process, which is on record;
it needs the roles auditor, and holds no more than one record at a time.
--url      where Warder is; WARDER_URL, or http://127.0.0.1:8080
WARDER_TOKEN holds your personal access token.
Exit 0: no differences. 1: there are some. 2: it could not be tried, or Warder refused.
`;

export const TryExit = { alike: 0, different: 1, untried: 2 } as const;

const DAY_MS = 86_400_000;
const DAYS_MAX = 3_650;
const RECORDS_MAX = 10_000_000;
/** Bytes of a file of rules, and of the answer that holds those in force. */
const RULES_BYTES_MAX = 8_388_608;
/** UTF-16 units of one record's line: what the topic of records takes. */
const LINE_MAX = 1_048_576;
const TIMEOUT_MS = 3_600_000;
const KEY_ID = 'of this run';

interface Asked {
  readonly base: string;
  readonly token: string;
  readonly days: number;
  readonly records: number;
}

/** Runs `warder guardrails try`. @returns the exit code */
export async function guardrailsTry(
  args: readonly string[],
  { url, token }: { readonly url: string | undefined; readonly token: string | undefined },
  output: Output,
): Promise<number> {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        days: { type: 'string' },
        records: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    const [verb, file, ...more] = positionals;
    const days = wholeOf(values.days ?? '7', DAYS_MAX);
    const records = wholeOf(values.records ?? '100000', RECORDS_MAX);
    if (
      verb !== 'try' ||
      file === undefined ||
      more.length > 0 ||
      !token ||
      days === undefined ||
      records === undefined
    ) {
      output.error(TRY_USAGE);
      return TryExit.untried;
    }
    const asked = { base: (values.url ?? url ?? 'http://127.0.0.1:8080').replace(/\/$/, ''), token, days, records };
    const { report, isWhole } = await compared(await readFile(file, 'utf8'), asked);
    if (values.json === true) output.out(`${JSON.stringify({ ...report, isWhole })}\n`);
    else tell(report, isWhole, output);
    return report.differences.length > 0 ? TryExit.different : TryExit.alike;
  } catch (failure) {
    output.error(`warder guardrails: ${(failure as Error).message}\n`);
    return TryExit.untried;
  }
}

function wholeOf(text: string, max: number): number | undefined {
  const value = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : undefined;
}

async function compared(text: string, asked: Asked): Promise<{ report: RuleComparisonReport; isWhole: boolean }> {
  if (text.length > RULES_BYTES_MAX) throw new Error('the rules are too long');
  const { exact, ...rules } = ChangeCustomRules.parse(JSON.parse(text));
  const answer = await ask(asked, '/admin/guardrails/custom');
  // Values of lists that are in force are nobody's to read: what they find is no difference.
  const inForce = CustomRules.parse({ ...((await answer.json()) as object), exact: [] });
  const key = randomBytes(32);
  const hash = (normal: string): string =>
    createHmac('sha256', key).update(normal).digest().subarray(0, 16).toString('base64url');
  const lists = exact.flatMap(({ values, isKept: _isKept, ...list }) => {
    if (values === undefined) return [];
    const normals = values.map(normalValue);
    if (normals.some(({ length }) => length < EXACT_CHARS.min || length > EXACT_CHARS.max))
      throw new Error(`${list.id}: a value has ${EXACT_CHARS.min} to ${EXACT_CHARS.max} letters and digits`);
    return [{ ...list, keyId: KEY_ID, shape: exactShape(normals), hashes: normals.map(hash) }];
  });
  const comparison = new RuleComparison(inForce, { ...rules, exact: lists }, new Map([[KEY_ID, hash]]));
  const isWhole = await readCalls(asked, comparison);
  return { report: comparison.report(), isWhole };
}

/** @returns whether all calls of the days were read */
async function readCalls(asked: Asked, comparison: RuleComparison): Promise<boolean> {
  const from = Date.now() - asked.days * DAY_MS;
  const { body } = await ask(asked, `/admin/audit/export?format=ndjson&kind=call&from=${from}`);
  if (body === null) return true;
  const source = Readable.fromWeb(body as never);
  let read = 0;
  for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
    if (line === '') continue;
    if (read >= asked.records) {
      source.destroy();
      return false;
    }
    if (line.length > LINE_MAX) throw new Error('a record is longer than records are');
    read += 1;
    comparison.read(AuditRecord.parse(JSON.parse(line)));
  }
  return true;
}

async function ask({ base, token }: Asked, path: string): Promise<Response> {
  const answer = await fetch(`${base}${path}`, {
    headers: { authorization: `Bearer ${token}` },
    // Another place is not who the token is for.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.ok) return answer;
  const refused = (await answer.json().catch(() => ({}))) as { error?: { code?: string } };
  throw new Error(`${path} answered ${answer.status} ${refused.error?.code ?? ''}`);
}

function tell(report: RuleComparisonReport, isWhole: boolean, output: Output): void {
  const { records, notWhole, detectors, differences, moreDifferences } = report;
  output.out(
    `${records} calls${isWhole ? '' : ', and there are more'}; ${notWhole} arguments or results are not whole on record\n`,
  );
  for (const [detector, { before, after }] of Object.entries(detectors).toSorted(([one], [other]) =>
    one < other ? -1 : 1,
  ))
    if (before !== after) output.out(`${detector}: ${before} places now, ${after} then\n`);
  for (const { change, recordId, tool, phase, detector, place, count } of differences)
    output.out(`${change} ${detector} ${recordId} ${tool} ${phase} ${JSON.stringify(place)} ${count}\n`);
  if (moreDifferences > 0) output.out(`and ${moreDifferences} more\n`);
}
