import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { PolicyDocument } from '@warder/contracts';
import { type AdminDoor, APPLY_WAIT_MS } from './admin-door.js';
import { DEVELOPERS, movedSample, samplePolicy } from './sample-policy.js';

interface CurrentPolicy {
  version: number;
  origin: string;
  document: PolicyDocument;
}

/** Where the sample upstream was at the last start, if there was one. */
export function earlierSampleUrl(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/**
 * Sees to it that there is a policy: the sample at the first start, and afterwards whatever the operator made of it,
 * with the sample upstream's address where that has moved.
 * @returns the policy in force
 */
export async function policyAtStart(door: AdminDoor, samplesFile: string, sampleUrl: string): Promise<PolicyDocument> {
  const current = await door.ask<CurrentPolicy>('GET', '/policy');
  const earlier = earlierSampleUrl(samplesFile);
  const wanted =
    current.origin === 'initial'
      ? samplePolicy(sampleUrl)
      : movedSample(current.document, earlier ?? sampleUrl, sampleUrl);
  if (wanted !== undefined && current.origin !== 'file') {
    await door.ask('PUT', `/policy?wait=${APPLY_WAIT_MS}`, wanted, { 'if-match': `"${current.version}"` });
  }
  writeFileSync(samplesFile, sampleUrl);
  return wanted ?? current.document;
}

/** The groups that the policy grants anything to: the local developer is a member of each. */
export function grantedGroups(document: PolicyDocument): string[] {
  const groups = document.grants.flatMap(({ effect, to }) => (effect === 'permit' && 'group' in to ? [to.group] : []));
  return groups.length === 0 ? [DEVELOPERS] : [...new Set(groups)].slice(0, 100);
}
