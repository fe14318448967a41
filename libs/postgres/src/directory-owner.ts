import * as fs from 'node:fs';
import { processStart } from './process-identity.js';

/** Stands in a data directory and names the process that holds it. */
export const OWNER_FILE = 'owner.json';

/** A process by its id and the time it began. */
export interface ProcessOwner {
  readonly pid: number;
  readonly start: string;
}

/** Whether that very process still runs, and not another one that was given its id. */
export function isAlive({ pid, start }: ProcessOwner): boolean {
  return processStart(pid) === start;
}

/** The owner that the text names, or `undefined` where its writer was killed in the middle of writing it. */
export function ownerIn(text: string): ProcessOwner | undefined {
  try {
    return JSON.parse(text) as ProcessOwner;
  } catch {
    return undefined;
  }
}

/** The file's text, or `undefined` where there is no such file. */
export function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
