import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Output } from './audit-verify.js';

export const APPROVALS_USAGE = `warder approvals list [--status pending] [--url URL] [--json]
warder approvals approve|reject ID --reason TEXT [--url URL]

Shows the questions about held calls that you may see, and decides about one. A call of your own is decided on the page, signed in.
--url      where Warder is; WARDER_URL, or http://127.0.0.1:8080
WARDER_TOKEN holds your personal access token: it stands in no argument, which others on the machine could read.
Exit 0: done. 1: Warder refused, and says why. 2: it could not be asked.
`;

/** What a program that is no person reads. */
export const ApprovalsExit = { done: 0, refused: 1, unasked: 2 } as const;

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const ID = /^apr_[\w-]{16}$/;

/** Of an answer, what is shown. */
const Approval = z.object({
  id: z.string(),
  status: z.string(),
  principalId: z.string(),
  virtualServer: z.string(),
  upstream: z.string(),
  tool: z.string(),
  arguments: z.unknown(),
  expiresAtMs: z.number(),
});
const Refused = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** What the process was started with. */
export interface ApprovalsEnvironment {
  readonly url: string | undefined;
  readonly token: string | undefined;
}

/** Runs `warder approvals`. @returns the exit code */
export async function approvals(
  args: readonly string[],
  { url, token }: ApprovalsEnvironment,
  output: Output,
): Promise<number> {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        status: { type: 'string' },
        reason: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    const [verb, id, ...more] = positionals;
    const isDecision = verb === 'approve' || verb === 'reject';
    const isWhole = isDecision ? ID.test(id ?? '') && values.reason !== undefined : verb === 'list' && id === undefined;
    if (!isWhole || more.length > 0 || token === undefined || token === '') {
      output.error(APPROVALS_USAGE);
      return ApprovalsExit.unasked;
    }
    const door = { base: values.url ?? url ?? 'http://127.0.0.1:8080', token, output };
    if (!isDecision) return await list(door, values.status, values.json === true);
    const decision = verb === 'approve' ? 'approve' : 'deny';
    const answer = await ask(door, `/${id}/decision`, { decision, reason: values.reason });
    if (answer === undefined) return ApprovalsExit.refused;
    output.out(`${lineOf(Approval.parse(answer))}\n`);
    return ApprovalsExit.done;
  } catch (failure) {
    output.error(`warder approvals: ${visible((failure as Error).message)}\n`);
    return ApprovalsExit.unasked;
  }
}

interface AdminDoor {
  readonly base: string;
  readonly token: string;
  readonly output: Output;
}

const Page = z.object({ approvals: z.array(z.unknown()), cursor: z.string().nullable().optional() });

/** Shows page after page, as they come. */
async function list(door: AdminDoor, status: string | undefined, isJson: boolean): Promise<number> {
  const query = new URLSearchParams(status === undefined ? {} : { status });
  for (;;) {
    const answer = await ask(door, query.size === 0 ? '' : `?${query.toString()}`);
    if (answer === undefined) return ApprovalsExit.refused;
    const { approvals: found, cursor } = Page.parse(answer);
    for (const each of found)
      door.output.out(`${isJson ? visible(JSON.stringify(each)) : lineOf(Approval.parse(each))}\n`);
    if (cursor === null || cursor === undefined) return ApprovalsExit.done;
    query.set('cursor', cursor);
  }
}

/** @returns undefined where Warder refused, which it has said */
async function ask({ base, token, output }: AdminDoor, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${base.replace(/\/$/, '')}/admin/guardrails/approvals${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    // Another place is not who the token is for.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await textOf(answer);
  if (answer.ok) return JSON.parse(text);
  const refused = Refused.safeParse(JSON.parse(text));
  if (!refused.success) throw new Error(`HTTP ${answer.status}`);
  const { code, message } = refused.data.error;
  output.error(`${visible(message)} [${visible(code)}]\n`);
  return undefined;
}

function lineOf({ id, status, expiresAtMs, ...asked }: z.infer<typeof Approval>): string {
  const { principalId, virtualServer, upstream, tool } = asked;
  const until = new Date(expiresAtMs).toISOString();
  const what = `${principalId} ${virtualServer} ${upstream}/${tool} ${JSON.stringify(asked.arguments ?? null)}`;
  return visible(`${id} ${status} until ${until} ${what}`);
}

/** @throws Error for an answer past the bound, of which no more is read */
async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * An agent chose some of it: what a terminal would obey, or not show, is written out, in the way of JSON, so that JSON
 * stays what it was. As on the page, selectors of variants are among it.
 */
function visible(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}]/gu, (each) =>
    Array.from({ length: each.length }, (_, n) => `\\u${each.charCodeAt(n).toString(16).padStart(4, '0')}`).join(''),
  );
}
