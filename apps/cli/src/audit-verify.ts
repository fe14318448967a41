import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding, LogReport } from './verify/finding.js';
import { keysWithoutLog, type NamedKey, readPublicKeys } from './verify/public-keys.js';
import { readExport } from './verify/read-export.js';
import { verifyLog } from './verify/verify-log.js';
import { verifyProof } from './verify/verify-proof.js';

/** What a program that is no person reads. */
export const ExitCode = { proved: 0, tampered: 1, unproven: 2 } as const;

export const VERIFY_USAGE = `warder audit verify DIR|FILE [--keys DIR] [--json]
warder audit verify --proof FILE [--keys DIR]

Verifies an export of the audit trail, or the proof of one record, without the network.
--keys   a directory of <service>.pub (PEM); public-keys beside the export if not given
--json   one report as JSON instead of lines for people
Exit 0: everything is proved. 1: something was altered, removed, inserted or reordered. 2: it could not be verified.
`;

/** Where the command writes. */
export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/** Runs `warder audit verify`. @returns the exit code */
export async function auditVerify(args: readonly string[], { out, error }: Output): Promise<number> {
  try {
    const options = { keys: { type: 'string' }, proof: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const path = values.proof ?? positionals[0];
    if (path === undefined || positionals.length > (values.proof === undefined ? 1 : 0)) {
      error(VERIFY_USAGE);
      return ExitCode.unproven;
    }
    const keys = readPublicKeys(
      values.keys ?? join(statSync(path).isDirectory() ? path : dirname(path), 'public-keys'),
    );
    if (values.proof !== undefined) {
      const { isProved, text } = verifyProof(readFileSync(path, 'utf8'), keys);
      out(`${isProved ? 'proved' : 'NOT PROVED'}  ${text}\n`);
      return isProved ? ExitCode.proved : ExitCode.tampered;
    }
    const { logs, unreadable, incomplete } = await readExport(path);
    const reports = [...logs.values()].map((log) => verifyLog(log, keys));
    const silent = keysWithoutLog(keys, logs.keys());
    const withoutLog = silent.map(({ file }) => file);
    if (values.json === true) out(`${JSON.stringify({ logs: reports, unreadable, incomplete, withoutLog })}\n`);
    else {
      const around = [...silent.map(silentLine), ...incomplete.map(incompleteLine)];
      for (const line of [...linesOf(reports, unreadable), ...around]) out(`${line}\n`);
    }
    return exitCodeOf(reports, unreadable.length, incomplete.length);
  } catch (failure) {
    error(`warder audit verify: ${(failure as Error).message}\n`);
    return ExitCode.unproven;
  }
}

function exitCodeOf(reports: readonly LogReport[], unreadable: number, incomplete: number): number {
  const weights = new Set(reports.flatMap(({ findings }) => findings.map(({ weight }) => weight)));
  if (weights.has('tampered') || unreadable > 0) return ExitCode.tampered;
  return reports.length === 0 || incomplete > 0 || weights.has('unproven') ? ExitCode.unproven : ExitCode.proved;
}

function* linesOf(
  reports: readonly LogReport[],
  unreadable: readonly { file: string; line: number }[],
): Generator<string> {
  for (const report of reports) {
    const { log, from, to, records, checkpoints, erased, signers, findings } = report;
    const isProved = findings.every(({ weight }) => weight === 'notice');
    const range = to > from ? `records ${from} to ${to - 1}` : 'no records';
    const counts = `${records} there, ${erased} of them erased, ${checkpoints} checkpoints by ${signers.join(', ') || 'nobody'}`;
    yield `${isProved ? 'proved    ' : 'NOT PROVED'}  ${log}: ${range}, ${counts}`;
    for (const finding of findings)
      yield `  ${MARKS[finding.weight]} ${finding.text}${finding.at ? ` [${finding.at}]` : ''}`;
  }
  for (const { file, line } of unreadable) yield `  ! this line is neither a record nor a checkpoint [${file}:${line}]`;
  if (reports.length === 0) yield 'NOT PROVED  the export holds no log';
}

const incompleteLine = (why: string): string => `NOT PROVED  the export is not whole: ${why}`;

const silentLine = ({ service, file }: NamedKey): string =>
  `-           no log of ${service} is in the export, though its key is known [${file}]`;

const MARKS: Record<Finding['weight'], string> = { tampered: '!', unproven: '?', notice: '-' };
