import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_TIMEOUT_MS } from '../../shapes.js';
import { type Answered, AttackedScene, FORM } from './attacked-scene.js';
import { type Caller, CALLERS, type Cast, castOf } from './callers.js';
import { ENTRIES, type Expectation } from './entries.js';
import {
  MESSAGES,
  type MessageRow,
  methodsOfTheProtocol,
  MODERN,
  openStream,
  REVISIONS,
  send,
  toldByAgentsDoor,
} from './messages.js';

/** Who has a token that is let in at an admin door with the role of the same name, and nobody else. */
const BY_ROLE: Partial<Record<Caller, string>> = {
  admin: 'admin',
  auditor: 'auditor',
  operator: 'operator',
  member: 'member',
  'stranger to the group': 'member',
};
/** Tokens of an administrator that are cut for agents: known, and good for nothing here. */
const CUT: readonly Caller[] = ['read-only', 'other server'];
/** They send no `Authorization` at all. */
const SILENT: readonly Caller[] = ['nothing', 'query string', 'form field', 'cookie', 'trusted-looking headers'];
const MISSING = '401 WDR_TOKEN_MISSING';
const UNKNOWN = '401 WDR_TOKEN_UNKNOWN';
const NOBODY = 'nobody-00000000';

let scene: AttackedScene;
let cast: Cast;

/** Status and code, in whatever form the door's protocol has. */
function toldBy({ status, headers, text }: Answered): string {
  if (!String(headers['content-type']).includes('json')) return String(status);
  const body = (text === '' ? {} : JSON.parse(text.split('\n', 1)[0]!)) as {
    error?: string | { code?: string };
    err?: string;
    detail?: string;
  };
  const { err, error = err, detail } = body;
  const code = typeof error === 'object' ? error.code : (error ?? /WDR_[A-Z_]+/.exec(detail ?? '')?.[0]);
  return code === undefined || status < 400 ? String(status) : `${status} ${code}`;
}

/** Their rate is of an address, so not everybody asks them. */
const OF_SIGN_IN = /^\/(?:oauth|sign-in|account|\.well-known\/(?:oauth-auth|openid))/;
const AT_SIGN_IN: readonly Caller[] = [
  'nothing',
  'basic',
  'query string',
  'two authorizations',
  'admin',
  'oauth',
  'oauth unsigned',
  'scim bearer',
];

/** What is open is the same for whatever is brought, but for what the authorization server itself asks of clients. */
function openAnswerOf({ path, answer }: Expectation, caller: Caller): string {
  if (caller === 'two authorizations' && OF_SIGN_IN.test(path)) return '400 invalid_request';
  const isForClients = /^\/oauth\/(?:token|revoke|introspect|par)$/.test(path);
  if (caller === 'basic' && isForClients) return '401 invalid_client';
  return answer;
}

function expectedOf(row: Expectation, caller: Caller): string {
  const { door, roles, answer } = row;
  if (door === 'open') return openAnswerOf(row, caller);
  // RFC 8935 section 2.4: an error of its own, and no challenge.
  if (door === 'signals') return caller === 'sender of signals' ? answer : '400 authentication_failed';
  if (caller === 'two authorizations') return '400 WDR_HEADER_REPEATED';
  if (SILENT.includes(caller)) return MISSING;
  if (door === 'scim') return caller === 'scim bearer' ? answer : UNKNOWN;
  if (door === 'leaks') return caller === 'leak reporter' ? answer : UNKNOWN;
  if (CUT.includes(caller)) return '403 WDR_ROLE_MISSING';
  const role = BY_ROLE[caller];
  if (role === undefined) return UNKNOWN;
  const has = caller === 'admin' ? ['admin', 'member'] : [role];
  return has.some((each) => roles.includes(each)) ? answer : '403 WDR_ROLE_MISSING';
}

async function knock({ method, path, door }: Expectation, caller: Caller): Promise<string> {
  const at = path.replaceAll(/:\w+/g, NOBODY);
  const isPage = door === 'open' && !path.endsWith('/register');
  const body = isPage ? { type: FORM, text: 'x=1' } : { type: 'application/json', text: '{}' };
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
  return toldBy(await scene.ask(method, at, cast.proofs[caller], hasBody ? body : undefined));
}

/** The lines in which what was told is not what was expected. */
function surprises(told: readonly string[], expected: readonly string[]): string[] {
  expect(told.length).toBe(expected.length);
  return told.flatMap((line, at) =>
    line === expected[at] ? [] : [`${line}, expected ${expected[at]!.split(': ').at(-1)}`],
  );
}

beforeAll(async () => {
  scene = await AttackedScene.start();
  cast = await castOf(scene);
}, START_TIMEOUT_MS);
afterAll(() => scene?.stop(), 60_000);

describe('every way in over HTTP', () => {
  it('is one that the table names', () => {
    const named = (list: readonly { method: string; path: string }[]) =>
      list.map(({ method, path }) => `${method} ${path}`).toSorted();
    const found = scene.running.entries().filter(({ method }) => method !== 'HEAD');
    const mounts = ENTRIES.filter(({ method }) => method === '*');
    const isBelow = ({ path }: Expectation) => mounts.some((mount) => `${path}/`.startsWith(`${mount.path}/`));
    const declared = ENTRIES.filter((row) => row.method === '*' || !isBelow(row));
    expect(named(found)).toEqual(named(declared));
  });

  const walked = ENTRIES.filter(({ method }) => method !== '*');
  it.each(CALLERS)('answers %s as the table says', async (caller) => {
    const told: string[] = [];
    const expected: string[] = [];
    for (const row of walked) {
      if (OF_SIGN_IN.test(row.path) && !AT_SIGN_IN.includes(caller)) continue;
      const line = `${row.method} ${row.path}: `;
      expected.push(line + expectedOf(row, caller));
      told.push(line + (await knock(row, caller)));
    }
    expect(surprises(told, expected)).toEqual([]);
  });

  it('tells no more to HEAD than to GET', async () => {
    for (const row of walked.filter(({ method, path }) => method === 'GET' && !OF_SIGN_IN.test(path))) {
      for (const caller of ['nothing', 'member', 'admin'] as const) {
        const [status = ''] = expectedOf(row, caller).split(' ');
        const told = await knock({ ...row, method: 'HEAD' }, caller);
        expect(`${row.path} ${told}`).toMatch(new RegExp(` (?:${status}|40[45])$`));
      }
    }
  });

  it('is shut on the listener that is for other services', async () => {
    const { internalUrl } = scene.running.hostFor('standalone');
    for (const caller of CALLERS) {
      const { headers = {} } = cast.proofs[caller];
      const answer = await request(`${internalUrl}/mcp`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
      expect(`${caller}: ${answer.statusCode}`).toBe(`${caller}: 401`);
      await answer.body.dump();
    }
  });

  it('does nothing to what is somebody else’s', async () => {
    const { admin, member } = cast;
    const asMember = (method: string, path: string) =>
      scene.ask(method, `/admin/identity/${path}`, cast.proofs.member, { type: 'application/json', text: '{}' });
    for (const [method, path] of [
      ['DELETE', `me/tokens/${admin.tokenId}`],
      ['POST', `me/tokens/${admin.tokenId}/rotate`],
      ['POST', `tokens/${admin.tokenId}/rotate`],
    ] as const) {
      expect(`${path} ${toldBy(await asMember(method, path))}`).toBe(`${path} 404 WDR_TOKEN_NOT_FOUND`);
    }
    for (const id of [admin.principalId, member.principalId]) {
      expect(toldBy(await asMember('GET', `principals/${id}/clients`))).toBe('403 WDR_ROLE_MISSING');
      expect(toldBy(await asMember('POST', `principals/${id}/offboard`))).toBe('403 WDR_ROLE_MISSING');
    }
    expect((await scene.ask('GET', '/admin/identity/me', cast.proofs.admin)).status).toBe(200);
  });
});

/** Those who are nobody here, whatever they bring. */
const STRANGERS: readonly Caller[] = [
  'garbage',
  'expired',
  'revoked',
  'suspended owner',
  'other address',
  'oauth for another server',
  'oauth unsigned',
  'oauth signed by another key',
  'scim bearer',
  'leak reporter',
  'sender of signals',
];
/** Known, and not the one whose session they use. */
const OTHERS: readonly Caller[] = ['member', 'stranger to the group', 'operator', 'auditor'];
/** They may call nothing on the server: of it they are told what of a server without tools. */
const WITHOUT_GRANT: readonly Caller[] = ['stranger to the group', 'operator', 'auditor'];

function expectedAtAgentsDoor(row: MessageRow, caller: Caller, revision: string): string {
  const isModern = revision === MODERN;
  if (caller === 'two authorizations') return '400 WDR_HEADER_REPEATED';
  if (SILENT.includes(caller) || caller === 'basic' || caller === 'no scheme') return MISSING;
  if (STRANGERS.includes(caller)) return UNKNOWN;
  if (caller === 'other server') return '404 WDR_VIRTUAL_SERVER_UNKNOWN';
  if (OTHERS.includes(caller) && !isModern && row.method !== 'initialize') return '404 -32001';
  const isCall = row.method === 'tools/call';
  const isAct = row.params['name'] === 'known__add';
  if (isCall && (WITHOUT_GRANT.includes(caller) || (caller === 'read-only' && isAct))) return '200 -32602';
  return isModern ? row.modern : row.legacy;
}

/** What a GET is told in the revision that has none: before anybody is looked at. */
function streamless(caller: Caller): string {
  return caller === 'two authorizations' ? '400 WDR_HEADER_REPEATED' : '405 WDR_METHOD_NOT_ALLOWED';
}

describe('every message at the agents’ door', () => {
  const sessions = new Map<string, string>();
  beforeAll(async () => {
    for (const revision of REVISIONS) {
      if (revision === MODERN) continue;
      const opened = await send(scene, cast.proofs.admin, { revision, method: 'initialize', params: {} });
      sessions.set(revision, String(opened.headers['mcp-session-id']));
    }
  });

  it('is one that the table names', () => {
    const named = MESSAGES.map(({ method }) => method);
    expect(methodsOfTheProtocol().filter((method) => !named.includes(method))).toEqual([]);
  });

  it.each(CALLERS)(
    'is answered to %s as the table says, in every revision, with an administrator’s session',
    async (caller) => {
      const told: string[] = [];
      const expected: string[] = [];
      for (const revision of REVISIONS) {
        for (const row of MESSAGES) {
          const session = row.method === 'initialize' ? undefined : sessions.get(revision);
          const line = `${revision} ${row.method} ${JSON.stringify(row.params)}: `;
          expected.push(line + expectedAtAgentsDoor(row, caller, revision));
          told.push(line + toldByAgentsDoor(await send(scene, cast.proofs[caller], { ...row, revision, session })));
        }
      }
      expect(surprises(told, expected)).toEqual([]);
    },
  );

  it.each(CALLERS)('is answered to %s as a stream of that session as it is as a message', async (caller) => {
    const row = { method: 'subscriptions/listen', params: {}, legacy: '200', modern: '405 WDR_METHOD_NOT_ALLOWED' };
    for (const revision of REVISIONS) {
      const session = sessions.get(revision);
      const expected = revision === MODERN ? streamless(caller) : expectedAtAgentsDoor(row, caller, revision);
      const told = toldByAgentsDoor(await openStream(scene, cast.proofs[caller], revision, session));
      expect(`${revision} ${told}`).toBe(`${revision} ${expected}`);
    }
  });

  it('reached the upstream for those alone who may call', () => {
    const may = CALLERS.flatMap((caller) =>
      REVISIONS.flatMap((revision) =>
        MESSAGES.filter(
          (row) => row.method === 'tools/call' && expectedAtAgentsDoor(row, caller, revision) === '200',
        ).map(({ params }) => String(params['name']).replace('known__', '')),
      ),
    );
    expect(scene.executed().toSorted()).toEqual(may.toSorted());
  });
});
