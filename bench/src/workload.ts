import { prose, seededRandom } from './prose.js';

/** What is sent and answered in every run: who calls which tool with what, and what comes back. */
export const UPSTREAM = 'bench';
export const VIRTUAL_SERVER = 'dev';
export const GROUP = 'developers';
export const PRINCIPALS = 1_000;
export const TOOLS = 50;
/** One call in twenty asks for a tool that the caller may not use. */
export const REFUSED_EVERY = 20;
export const ANSWER_CHARS = 1_024;
export const ANSWER_VARIANTS = 64;
export const PROTOCOL_VERSION = '2026-07-28';

/** Name of a tool at its upstream; the last ones are what nobody was granted. */
export const toolName = (index: number): string => `search_records_${String(index).padStart(2, '0')}`;
/** The tool under the name that agents see. */
export const exposedName = (index: number): string => `${UPSTREAM}__${toolName(index)}`;
export const FORBIDDEN_TOOLS = 5;
export const GRANTED_TOOLS = TOOLS - FORBIDDEN_TOOLS;

/** Definition of a tool as the upstream lists it. */
export function toolDefinition(index: number): { name: string; description: string; inputSchema: object } {
  return {
    name: toolName(index),
    description: `Searches the records of collection ${index}, newest first.`,
    inputSchema: {
      type: 'object',
      properties: { query: { type: 'string' }, page: { type: 'number' }, perPage: { type: 'number' } },
      required: ['query'],
    },
  };
}

/** The texts of all answers. */
export function answerTexts(): string[] {
  const random = seededRandom(7);
  return Array.from({ length: ANSWER_VARIANTS }, () => prose(random, ANSWER_CHARS));
}

/** One call of the load, before it has an id. */
export interface PlannedCall {
  readonly principal: number;
  readonly tool: number;
  readonly isRefused: boolean;
  readonly argumentsJson: string;
}

/** The calls that the load goes through again and again. */
export function plannedCalls(count: number): PlannedCall[] {
  const random = seededRandom(11);
  return Array.from({ length: count }, (_, index) => {
    const isRefused = index % REFUSED_EVERY === REFUSED_EVERY - 1;
    const tool = isRefused
      ? GRANTED_TOOLS + Math.floor(random() * FORBIDDEN_TOOLS)
      : Math.floor(random() * GRANTED_TOOLS);
    const query = prose(random, 40 + Math.floor(random() * 160));
    const args = { query, page: 1 + Math.floor(random() * 20), perPage: 30, labels: ['open', 'team'] };
    return { principal: index % PRINCIPALS, tool, isRefused, argumentsJson: JSON.stringify(args) };
  });
}
