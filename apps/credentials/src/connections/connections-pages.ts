import { isKept, isOfPerson, type KeptKind } from '@warder/contracts';
import type { FormField } from '../kept/form-field.js';
import { ending, type Html, html, listed, post, time } from '@warder/pages';
import type { ConnectionView } from './connections.store.js';

/** A provider as a person sees it, with what they have there. */
export interface ProviderShown {
  readonly id: string;
  readonly title: string;
  /** Virtual servers that use it. */
  readonly servers: readonly string[];
  readonly kind: 'oauth_user' | 'oauth_shared' | KeptKind;
  /** Providers whose tokens are had for those of this one. */
  readonly exchangedAt: readonly string[];
  /** What is filled in, where the credential is kept here as it is. */
  readonly fields: readonly FormField[];
  readonly connection: ConnectionView | undefined;
  /** Whether the person may change it. */
  readonly isTheirs: boolean;
}

export interface ConnectionsShown {
  readonly name: string;
  /** Ties every form of the page to the browser. */
  readonly form: string;
  readonly own: readonly ProviderShown[];
  readonly shared: readonly ProviderShown[];
  /** What has just happened. */
  readonly notice: string | null;
  /** Wall milliseconds. */
  readonly nowMs: number;
}

/** What somebody has connected, and could. */
export function connectionsPage({ name, form, own, shared, notice, nowMs }: ConnectionsShown): Html {
  return html`<h1>Connections</h1>
    <p>
      You are signed in as <strong>${name}</strong>.
      <span class="quiet">Programs that act for you use these accounts, and never see what lets them in.</span>
    </p>
    ${notice === null ? html`` : html`<p class="note" role="status">${notice}</p>`}
    <h2>Your own accounts</h2>
    ${own.length === 0 ? html`<p>No server here asks for an account of yours.</p>` : html``}
    ${own.map((provider) => card(provider, form, nowMs))}
    ${shared.length === 0 ? html`` : html`<h2>Accounts that everybody shares</h2>`}
    ${shared.map((provider) => card(provider, form, nowMs))}
    <p><a href="/account">Your account</a></p>`;
}

function card(provider: ProviderShown, form: string, nowMs: number): Html {
  const { title, servers, connection, isTheirs } = provider;
  return html`<section class="card">
    <h3>${title}</h3>
    <dl>
      <dt>Connected</dt>
      <dd>${standing(connection)}</dd>
      ${
        connection === undefined || !isLive(connection)
          ? html``
          : html`<dt>As</dt>
              <dd>
                ${connection.accountName ?? (isKept(connection.kind) ? 'what was kept here' : 'an account that it does not name')}
              </dd>
              <dt>Since</dt>
              <dd>${time(connection.connectedAtMs)}</dd>
              ${until(connection, nowMs)}
              <dt>May</dt>
              <dd>${listed(connection.scopes)}</dd>`
      }
      <dt>Used by</dt>
      <dd>${listed(servers)}</dd>
    </dl>
    ${isTheirs ? acts(provider, form) : html`<p class="quiet">An administrator sees to it.</p>`}
  </section>`;
}

function acts({ id, kind, title, fields, connection }: ProviderShown, form: string): Html {
  const isThere = connection !== undefined && isLive(connection);
  if (isKept(kind))
    return html`${isOfPerson(kind) ? keeping({ id, kind, title, fields, isThere }, form) : html``}
    ${isThere ? ending(`/connections/${connection.id}/disconnect`, form, 'Forget', `What uses ${title} stops. What was kept here is deleted; at ${title} it goes on until you end it there.`) : html``}`;
  const body = html`<input type="hidden" name="provider" value="${id}" />
    <input type="hidden" name="kind" value="${kind}" />
    <button class="main" aria-label="${isThere ? 'Reconnect' : 'Connect'} ${title}">
      ${isThere ? 'Reconnect' : 'Connect'}
    </button>`;
  return html`${post('/connections/connect', form, body)}
  ${
    isThere
      ? ending(
          `/connections/${connection.id}/disconnect`,
          form,
          'Disconnect',
          `What uses ${title} stops, and ${title} is told to forget what it gave us.`,
        )
      : html``
  }`;
}

/** Fields are written only: what was kept is never shown, nor whether it was the same. */
function keeping(
  { id, kind, title, fields, isThere }: Pick<ProviderShown, 'id' | 'kind' | 'title' | 'fields'> & { isThere: boolean },
  form: string,
): Html {
  const inputs = fields.map(({ name, title: label, isSecret, isLong, isOptional }) => {
    const [field, type] = [`field.${name}`, isSecret ? 'password' : 'text'];
    if (isLong === true)
      return html`<label for="${id}-${name}">${label}</label>
        <textarea
          id="${id}-${name}"
          name="${field}"
          rows="6"
          required
          maxlength="12288"
          autocomplete="off"
          spellcheck="false"
        ></textarea>`;
    return html`<label for="${id}-${name}">${label}</label>
      <input
        id="${id}-${name}"
        name="${field}"
        type="${type}"
        ${isOptional === true ? html`` : html`required`}
        maxlength="8192"
        autocomplete="off"
      />`;
  });
  const what = isThere ? 'Replace' : 'Keep';
  return post(
    '/connections/keep',
    form,
    html`<input type="hidden" name="provider" value="${id}" />
      <input type="hidden" name="kind" value="${kind}" />
      ${inputs}
      <button class="main" aria-label="${what} ${title}">${what}</button>`,
  );
}

/** Why a connection is not used, in words. */
const REASONS: Readonly<Record<string, string>> = {
  refresh_outcome_unknown: 'it was renewed and nobody knows with what outcome',
  certificate_expired: 'its certificate has expired',
};

function standing(connection: ConnectionView | undefined): string {
  if (connection === undefined || !isLive(connection)) return 'no';
  if (connection.status === 'active') return 'yes';
  const why = REASONS[connection.reason ?? ''] ?? 'it is not accepted any more';
  return `not any more: ${why}. Connect it again.`;
}

/** Days before its end that a certificate is to be replaced. */
const NOTICE_MS = 30 * 86_400_000;

/** Tokens are renewed without anybody's doing; a certificate is not. */
function until({ kind, expiresAtMs }: ConnectionView, nowMs: number): Html {
  if (expiresAtMs === null || !isKept(kind)) return html``;
  const days = Math.max(0, Math.floor((expiresAtMs - nowMs) / 86_400_000));
  const isNear = expiresAtMs - nowMs < NOTICE_MS;
  return html`<dt>Until</dt>
    <dd>
      ${time(expiresAtMs)}
      ${isNear ? html`<strong>It ends in ${String(days)} days. Replace it before.</strong>` : html``}
    </dd>`;
}

function isLive({ status }: ConnectionView): boolean {
  return status === 'active' || status === 'reconnect_required';
}

/** Where a link from a program leads: nothing is connected before the person in front of the browser says so. */
export function connectPage(asked: {
  readonly name: string;
  readonly form: string;
  readonly upstream: string;
  readonly provider: ProviderShown;
  readonly nowMs: number;
}): Html {
  const { name, form, upstream, provider, nowMs } = asked;
  return html`<h1>Connect ${provider.title}?</h1>
    <p>You are signed in as <strong>${name}</strong>.</p>
    <p>
      “${upstream}” is used with an account of yours at ${provider.title}. Go on only if it was you who asked for
      something there.
    </p>
    ${card(provider, form, nowMs)}
    <p><a href="/connections">All connections</a></p>`;
}
