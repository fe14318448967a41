import type { PrincipalState } from '@warder/contracts';
import { ending, html, type Html, listed, post, time } from '@warder/pages';
import type { GrantView } from '../authorization/grants.store.js';
import type { TokenView } from '../tokens.store.js';
import type { SessionView } from './sessions.store.js';

/** Whatever stands on the account's first page. */
export interface AccountShown {
  readonly principal: PrincipalState;
  /** Ties every form of the page to the browser. */
  readonly form: string;
  readonly tokens: readonly TokenView[];
  /** Whether there are more of them than are shown. */
  readonly hasMoreTokens: boolean;
  readonly clients: readonly GrantView[];
  readonly sessions: readonly SessionView[];
  /** Which of these is the browser that asks. */
  readonly sessionId: string;
  /** What a provider is called. */
  readonly providerName: (id: string) => string;
  readonly hasPassword: boolean;
}

/** What somebody has here: tokens, programs, browsers; each with its end. */
export function accountPage(shown: AccountShown): Html {
  const { principal, form, sessions, sessionId } = shown;
  const others = sessions.filter(({ id }) => id !== sessionId);
  return html`<h1>Your account</h1>
    <p>
      You are signed in as <strong>${principal.name}</strong>${principal.email === null ? '' : ` (${principal.email})`}.
      <span class="quiet">Roles: ${listed(principal.roles)}. Groups: ${listed(principal.groups)}.</span>
    </p>
    ${post('/account/sign-out', form, html`<button>Sign out of this browser</button>`)}
    <h2>Personal access tokens</h2>
    <p class="quiet">For scripts, and for programs that take a header only. A token can do what you can, or less.</p>
    ${shown.tokens.length === 0 ? html`<p>You have none.</p>` : html``}
    ${shown.tokens.map((token) => tokenCard(token, form))}
    ${shown.hasMoreTokens ? html`<p class="note">There are more than are shown here.</p>` : html``}
    <p><a href="/account/tokens/new">Make a token</a></p>
    <h2>Programs that act for you</h2>
    ${shown.clients.length === 0 ? html`<p>There are none.</p>` : html``}
    ${shown.clients.map((client) => clientCard(client, form))}
    <h2>Accounts that you have connected</h2>
    <p><a href="/connections">See, connect and disconnect accounts at other services</a></p>
    <h2>Calls that wait for a person</h2>
    <p><a href="/approvals">See what was asked, and decide where you may</a></p>
    <h2>Browsers in which you are signed in</h2>
    ${sessions.map((session) => sessionCard(session, shown))}
    ${
      others.length === 0
        ? html``
        : post('/account/sessions/end-others', form, html`<button>Sign out of all others</button>`)
    }
    ${
      shown.hasPassword
        ? html`<h2>Password</h2>
            <p><a href="/account/password">Change your password</a></p>`
        : html``
    }`;
}

function tokenCard(token: TokenView, form: string): Html {
  const { id, name, prefix, createdAtMs, expiresAtMs, lastUsedAtMs, previousExpiresAtMs } = token;
  return html`<section class="card">
    <h3>${name}</h3>
    <dl>
      <dt>Begins with</dt>
      <dd>${prefix === null ? 'not known' : html`<code>${prefix}…</code>`}</dd>
      <dt>May do</dt>
      <dd>${scopesOf(token)}</dd>
      <dt>Made</dt>
      <dd>${time(createdAtMs)}</dd>
      <dt>Expires</dt>
      <dd>${time(expiresAtMs)}</dd>
      <dt>Last used</dt>
      <dd>${lastUsedAtMs === null ? 'never, as far as is known' : time(lastUsedAtMs)}</dd>
      ${
        previousExpiresAtMs === null
          ? html``
          : html`<dt>Its secret of before works until</dt>
              <dd>${time(previousExpiresAtMs)}</dd>`
      }
    </dl>
    <p><a href="/account/tokens/${id}/rotate" aria-label="Rotate ${name}">Rotate</a></p>
    ${ending(`/account/tokens/${id}/revoke`, form, 'Revoke', `Whatever uses “${name}” stops within a second, for good.`)}
  </section>`;
}

function clientCard(
  { id, clientId, clientName, virtualServers, admin, grantedAtMs, lastTokenAtMs }: GrantView,
  form: string,
): Html {
  const name = clientName ?? clientId;
  return html`<section class="card">
    <h3>${name}</h3>
    <dl>
      <dt>May use</dt>
      <dd>${listed(admin ? [...virtualServers, 'the administration of Warder'] : virtualServers)}</dd>
      <dt>Since</dt>
      <dd>${time(grantedAtMs)}</dd>
      <dt>Last came for a token</dt>
      <dd>${lastTokenAtMs === null ? 'never' : time(lastTokenAtMs)}</dd>
    </dl>
    ${ending(`/account/clients/${id}/end`, form, 'End its access', `“${name}” stops within a second. It may ask you again.`)}
  </section>`;
}

function sessionCard(session: SessionView, { form, sessionId, providerName }: AccountShown): Html {
  const { id, agent, signedInAtMs, signedInFrom, provider, seenAtMs, seenFrom } = session;
  const isThis = id === sessionId;
  return html`<section class="card">
    <h3>${agent ?? 'A browser'}${isThis ? ' (this one)' : ''}</h3>
    <dl>
      <dt>Signed in</dt>
      <dd>
        ${time(signedInAtMs)}${signedInFrom === null ? '' : ` from ${signedInFrom}`}${
          provider === null ? '' : ` with ${providerName(provider)}`
        }
      </dd>
      <dt>Last seen</dt>
      <dd>${seenAtMs === null ? 'not known' : time(seenAtMs)}${seenFrom === null ? '' : ` from ${seenFrom}`}</dd>
    </dl>
    ${isThis ? html`` : ending(`/account/sessions/${id}/end`, form, 'Sign it out', 'That browser has to sign in again.')}
  </section>`;
}

/** What a token is cut to, in words. */
export function scopesOf({ scopes }: Pick<TokenView, 'scopes'>): string {
  const { tools, virtualServers = null, readOnly = false, addresses = null } = scopes;
  const cuts = [
    ...(readOnly ? ['tools that only read'] : []),
    ...(tools === null ? [] : [`tools: ${listed(tools)}`]),
    ...(virtualServers === null ? [] : [`servers: ${listed(virtualServers)}`]),
    ...(addresses === null ? [] : [`from ${listed(addresses)}`]),
  ];
  return cuts.length === 0 ? 'whatever you may' : `what you may, cut to ${cuts.join('; ')}`;
}
