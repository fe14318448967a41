#!/usr/bin/env node
import { approvals, APPROVALS_USAGE } from './approvals.js';
import { auditVerify, ExitCode, VERIFY_USAGE } from './audit-verify.js';
import { guardrailsTry, TRY_USAGE } from './guardrails-try.js';
import { MIGRATE_USAGE, secretsMigrate } from './secrets-migrate.js';

const output = {
  out: (text: string) => process.stdout.write(text),
  error: (text: string) => process.stderr.write(text),
};
const [subject, verb, ...rest] = process.argv.slice(2);
if (subject === 'audit' && verb === 'verify') process.exitCode = await auditVerify(rest, output);
else if (subject === 'secrets' && verb === 'migrate') process.exitCode = await secretsMigrate(rest, output);
else if (subject === 'approvals') {
  const { WARDER_URL: url, WARDER_TOKEN: token } = process.env;
  process.exitCode = await approvals(process.argv.slice(3), { url, token }, output);
} else if (subject === 'guardrails') {
  const { WARDER_URL: url, WARDER_TOKEN: token } = process.env;
  process.exitCode = await guardrailsTry(process.argv.slice(3), { url, token }, output);
} else {
  output.error(`${APPROVALS_USAGE}\n${TRY_USAGE}\n${VERIFY_USAGE}\n${MIGRATE_USAGE}`);
  process.exitCode = ExitCode.unproven;
}
