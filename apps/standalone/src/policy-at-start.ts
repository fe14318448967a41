import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { PolicyDocument } from '@warder/contracts';
import type { AdminDoor } from './admin-door.js';
import { DEVELOPERS, movedSample, samplePolicy } from './sample-policy.js';

interface CurrentPolicy {
  version: number;
  origin: string;
  document: PolicyDocument;
}

const APPLY_WAIT_MS = 10_000;

/** The port that the sample upstream had at the last start, if there was one. */
export function earlierSamplePort(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const port = Number(readFileSync(file, 'utf8'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/**
 * Sees to it that there is a policy: the sample at the first start, and afterwards whatever the operator made of it,
 * with the sample upstream's address where that has moved.
 * @returns the policy in force
 */
export async function policyAtStart(door: AdminDoor, samplesFile: string, samplePort: number): Promise<PolicyDocument> {
  const current = await door.ask<CurrentPolicy>('GET', '/policy');
  const earlier = earlierSamplePort(samplesFile);
  const wanted =
    current.origin === 'initial'
      ? samplePolicy(samplePort)
      : movedSample(current.document, earlier ?? samplePort, samplePort);
  if (wanted !== undefined && current.origin !== 'file') {
    await door.ask('PUT', `/policy?wait=${APPLY_WAIT_MS}`, wanted, { 'if-match': `"${current.version}"` });
  }
  writeFileSync(samplesFile, String(samplePort));
  return wanted ?? current.document;
}

/** The groups that the policy grants anything to: the local developer is a member of each. */
export function grantedGroups(document: PolicyDocument): string[] {
  const groups = document.grants.flatMap(({ effect, to }) => (effect === 'permit' && 'group' in to ? [to.group] : []));
  return groups.length === 0 ? [DEVELOPERS] : [...new Set(groups)].slice(0, 100);
}
