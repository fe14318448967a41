import { readFileSync } from 'node:fs';
import { systemClock } from '@warder/service-host';
import { AdminDoor } from './admin-door.js';
import { developerToken } from './first-tokens.js';
import { greetingText } from './greeting.js';
import { grantedGroups, policyAtStart } from './policy-at-start.js';
import { writeReadyFile } from './ready-file.js';
import { SAMPLE_VIRTUAL_SERVER } from './sample-policy.js';

export interface WelcomeOptions {
  /** Where the admin doors are reached from here. */
  adminUrl: string;
  /** Where people and agents reach the door. */
  publicUrl: URL;
  sampleUrl: string;
  files: { adminTokenFile: string; tokensFile: string; samplesFile: string };
  readyFile: string | undefined;
  where: string;
}

/**
 * Gives a started Warder what it needs to be tried: a policy where there is none, a developer's token, and the lines
 * that say how to use them.
 */
export async function welcome(options: WelcomeOptions): Promise<void> {
  const { adminUrl, publicUrl, sampleUrl, files, readyFile, where } = options;
  const adminToken = readFileSync(files.adminTokenFile, 'utf8').trim();
  const door = new AdminDoor(adminUrl, adminToken);
  const document = await policyAtStart(door, files.samplesFile, sampleUrl);
  const nowMs = systemClock.wallMs();
  const { principalId, token, isNew } = await developerToken(door, files.tokensFile, grantedGroups(document), nowMs);
  const passwordLink = isNew ? await passwordLinkOf(door, principalId) : null;
  const [virtualServer = SAMPLE_VIRTUAL_SERVER] = Object.keys(document.virtualServers);
  const endpoint = new URL(`/mcp/${virtualServer}`, publicUrl).href;
  const publicAdminUrl = new URL('/admin', publicUrl).href;
  const { adminTokenFile, tokensFile } = files;
  process.stdout.write(
    greetingText({
      endpoint,
      adminUrl: publicAdminUrl,
      accountUrl: new URL('/account', publicUrl).href,
      token,
      adminTokenFile,
      tokensFile,
      where,
      isFirstStart: isNew,
      passwordLink,
    }),
  );
  if (readyFile !== undefined) {
    writeReadyFile(readyFile, { endpoint, adminUrl: publicAdminUrl, adminToken, token, pid: process.pid });
  }
}

async function passwordLinkOf(door: AdminDoor, principalId: string): Promise<string> {
  return (await door.ask<{ url: string }>('POST', `/identity/principals/${principalId}/password-link`)).url;
}
