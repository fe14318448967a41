#!/usr/bin/env node
import { auditVerify, ExitCode, VERIFY_USAGE } from './audit-verify.js';

const [subject, verb, ...rest] = process.argv.slice(2);
if (subject === 'audit' && verb === 'verify') {
  process.exitCode = await auditVerify(rest, {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
  });
} else {
  process.stderr.write(VERIFY_USAGE);
  process.exitCode = ExitCode.unproven;
}
