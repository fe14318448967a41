import type { JsonWebKey } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { answerPage, type GuestRequest, PageError, type PagesShown, redirect } from '@warder/pages';
import type { ConnectionActs } from './connection-acts.js';

const CONNECT = /^connect\/([a-z0-9][a-z0-9-]{0,62})$/;
/** Seconds that a server may keep our keys: less than a key is told of before it signs. */
const KEYS_SECONDS = 60;
const CALLBACK = /^callback\/([a-z0-9][a-z0-9-]{0,62})$/;
const DISCONNECT = /^(con_[\w-]{16})\/disconnect$/;

const DOCUMENT = /^clients\/([a-z0-9][a-z0-9-]{0,62})\.json$/;

/** What of us anybody may read. */
export interface PublicDocuments {
  readonly publicKeys: () => Promise<readonly JsonWebKey[]>;
  /** Our client at a provider that takes metadata documents; undefined at any other. */
  readonly client: (provider: string) => Promise<object | undefined>;
}

/** What is shown and done under `/connections`, the callbacks of the providers included. */
export function connectionsPages(acts: ConnectionActs, documents: PublicDocuments): PagesShown {
  return {
    name: 'connections',
    title: 'Connections',
    homeLabel: 'Your connections',
    places: CONNECT,
    answerAnybody: async (place, response) => {
      if (place === 'jwks.json') await tellKeys(response, documents);
      const [, provider] = DOCUMENT.exec(place) ?? [];
      if (provider !== undefined) await tellClient(response, await documents.client(provider));
      return place === 'jwks.json' || provider !== undefined;
    },
    isForVisitors: (place) => CALLBACK.test(place),
    show: (asked, query) => show(acts, asked, query),
    change: (asked, form) => change(acts, asked, form),
  };
}

/** RFC 7517 section 5, for anybody: servers read it as often as they like, and need not be told apart. */
async function tellKeys(response: ServerResponse, { publicKeys }: PublicDocuments): Promise<void> {
  const body = JSON.stringify({ keys: await publicKeys() });
  const headers = { 'content-type': 'application/jwk-set+json', 'cache-control': `public, max-age=${KEYS_SECONDS}` };
  response.writeHead(200, { ...headers, 'x-content-type-options': 'nosniff' }).end(body);
}

/** A client metadata document (draft-ietf-oauth-client-id-metadata-document section 4), for the server that was given its URL. */
async function tellClient(response: ServerResponse, document: object | undefined): Promise<void> {
  if (document === undefined) throw new PageError(404, 'There is no such page.');
  const headers = { 'content-type': 'application/json', 'cache-control': `public, max-age=${KEYS_SECONDS}` };
  response.writeHead(200, { ...headers, 'x-content-type-options': 'nosniff' }).end(JSON.stringify(document));
}

async function show(
  acts: ConnectionActs,
  { place, acting, response }: GuestRequest,
  query: URLSearchParams,
): Promise<void> {
  const [, at] = CALLBACK.exec(place) ?? [];
  if (at !== undefined) {
    const { accountName } = await acts.finish(acting, at, query);
    const notice = accountName === null ? 'Connected.' : `Connected as ${accountName}.`;
    return answerPage(response, 200, 'Connections', await acts.overview(acting, notice));
  }
  const [, upstream] = CONNECT.exec(place) ?? [];
  if (upstream !== undefined) return answerPage(response, 200, 'Connect', await acts.link(acting, upstream));
  if (place !== '') throw new PageError(404, 'There is no such page.');
  answerPage(response, 200, 'Connections', await acts.overview(acting, null));
}

async function change(
  acts: ConnectionActs,
  { place, acting, response, signInAnew }: GuestRequest,
  form: URLSearchParams,
): Promise<void> {
  if (place === 'connect') {
    // What is everybody's is not changed by whoever comes by an open browser.
    if (form.get('kind') !== 'oauth_user' && !acting.isRecent) return signInAnew('');
    return redirect(response, (await acts.connect(acting, form)).href);
  }
  if (place === 'keep') {
    await acts.keep(acting, form);
    return redirect(response, '/connections');
  }
  const [, id] = DISCONNECT.exec(place) ?? [];
  if (id === undefined) throw new PageError(404, 'There is no such page.');
  if (!acting.isRecent && (await acts.isShared(id))) return signInAnew('');
  await acts.disconnect(acting, id);
  redirect(response, '/connections');
}
