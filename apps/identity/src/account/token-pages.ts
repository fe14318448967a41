import { faultOf, html, type Html, post, time } from '@warder/pages';
import type { TokenView } from '../tokens.store.js';
import { scopesOf } from './account-pages.js';
import type { TokenFields } from './token-form.js';

/** An administrator's bounds of a token, in days. */
export interface DaysBounds {
  readonly defaultDays: number;
  readonly maxDays: number;
}

/** Where a token is asked for. */
export function newTokenPage(asked: {
  readonly form: string;
  readonly fields: TokenFields;
  readonly bounds: DaysBounds;
  readonly fault: string | null;
}): Html {
  const { form, fields, bounds, fault } = asked;
  const body = html`<label for="name">Name <span class="quiet">(what it is for)</span></label>
    <input id="name" name="name" type="text" required maxlength="200" autocomplete="off" value="${fields.name}" />
    <label for="days">Days until it expires <span class="quiet">(${bounds.maxDays} at most)</span></label>
    <input id="days" name="days" type="number" required min="1" max="${bounds.maxDays}" value="${fields.days}" />
    <p>
      <label
        ><input name="readOnly" type="checkbox" value="yes" ${{ html: fields.isReadOnly ? 'checked' : '' }} /> Only
        tools that only read</label
      >
    </p>
    ${area('servers', 'Servers', 'names, one on each line; empty: all that you may use', fields.servers)}
    ${area('tools', 'Tools', 'patterns such as tickets/search_*, one on each line; empty: all that you may use', fields.tools)}
    ${area('addresses', 'Addresses', 'from which it may be used, such as 10.20.0.0/16; empty: from anywhere', fields.addresses)}
    <div class="acts"><button class="main">Make it</button> <a href="/account">Do not</a></div>`;
  return html`<h1>Make a token</h1>
    <p class="quiet">
      It can never do more than you can at the moment it is used. One that is cut to servers or tools, or only reads, is
      for agents and has none of your roles.
    </p>
    ${faultOf(fault)} ${post('/account/tokens/new', form, body)}`;
}

function area(name: string, label: string, hint: string, value: string): Html {
  return html`<label for="${name}">${label} <span class="quiet">(${hint})</span></label>
    <textarea id="${name}" name="${name}" rows="2" autocomplete="off" spellcheck="false">${value}</textarea>`;
}

/** Shown once: the text of a token stands nowhere else. */
export function issuedPage(token: TokenView, text: string): Html {
  return html`<h1>Your token</h1>
    <p class="note" role="status">Copy it now: it is shown this once and kept nowhere.</p>
    <label for="text">${token.name}</label>
    <input id="text" type="text" readonly value="${text}" autocomplete="off" spellcheck="false" />
    <dl>
      <dt>May do</dt>
      <dd>${scopesOf(token)}</dd>
      <dt>Expires</dt>
      <dd>${time(token.expiresAtMs)}</dd>
    </dl>
    <p>A program sends it as <code>Authorization: Bearer …</code> to the address of a server.</p>
    <p><a href="/account">Back to your account</a></p>`;
}

const GRACES: readonly (readonly [seconds: number, words: string])[] = [
  [0, 'at once'],
  [3_600, 'in an hour'],
  [86_400, 'in a day'],
  [604_800, 'in a week'],
];

/** Where a token is given a new secret. */
export function rotatePage(
  token: TokenView,
  form: string,
  bounds: { defaultSeconds: number; maxSeconds: number },
): Html {
  const choices = GRACES.filter(([seconds]) => seconds <= bounds.maxSeconds);
  const chosen = choices.findLast(([seconds]) => seconds <= bounds.defaultSeconds);
  const body = html`<label for="grace">The secret it has now ends</label>
    <select id="grace" name="grace">
      ${choices.map(
        (choice) =>
          html`<option value="${choice[0]}" ${{ html: choice === chosen ? 'selected' : '' }}>${choice[1]}</option> `,
      )}
    </select>
    <div class="acts"><button class="main">Give it a new secret</button> <a href="/account">Do not</a></div>`;
  return html`<h1>Rotate “${token.name}”</h1>
    <p>It keeps its name, what it may do, and its expiry, and gets a new secret, which is shown once.</p>
    ${post(`/account/tokens/${token.id}/rotate`, form, body)}`;
}

/** Where a password is changed. */
export function passwordChangePage(form: string, fault: string | null): Html {
  const body = html`<label for="old">The password you have</label>
    <input id="old" name="old" type="password" required maxlength="256" autocomplete="current-password" />
    <label for="new">A new one <span class="quiet">(12 characters or more)</span></label>
    <input id="new" name="new" type="password" required minlength="12" maxlength="256" autocomplete="new-password" />
    <p>
      <label
        ><input name="programs" type="checkbox" value="end" /> End the access of every program that acts for me</label
      >
    </p>
    <div class="acts"><button class="main">Change it</button> <a href="/account">Do not</a></div>`;
  return html`<h1>Change your password</h1>
    <p>
      Every other browser is signed out. Programs go on unless you end them here, and tokens until you revoke them: if
      somebody else may know your password, look through both.
    </p>
    ${faultOf(fault)} ${post('/account/password', form, body)}`;
}
