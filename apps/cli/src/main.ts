#!/usr/bin/env node
import { auditVerify, ExitCode, VERIFY_USAGE } from './audit-verify.js';
import { MIGRATE_USAGE, secretsMigrate } from './secrets-migrate.js';

const output = {
  out: (text: string) => process.stdout.write(text),
  error: (text: string) => process.stderr.write(text),
};
const [subject, verb, ...rest] = process.argv.slice(2);
if (subject === 'audit' && verb === 'verify') process.exitCode = await auditVerify(rest, output);
else if (subject === 'secrets' && verb === 'migrate') process.exitCode = await secretsMigrate(rest, output);
else {
  output.error(`${VERIFY_USAGE}\n${MIGRATE_USAGE}`);
  process.exitCode = ExitCode.unproven;
}
