import { faultOf, html, type Html } from '@warder/pages';
import type { ServerDescription, ToolDescription } from '../authorization/virtual-servers.js';

/** What a person is told of a client before it may act for them. */
export interface AskedClient {
  readonly name: string;
  readonly id: string;
  readonly by: 'advance' | 'document' | 'registration';
  /** Where the browser goes afterwards. */
  readonly redirectUri: string;
}

/** A way to sign in. */
export interface SignInChoice {
  readonly id: string;
  readonly name: string;
}

/** Who is it? As a form, with the ways of signing in. */
export interface WhoAsked {
  readonly action: string;
  readonly token: string;
  readonly choices: readonly SignInChoice[];
  /** Whether the provider can be found by an address's domain. */
  readonly byEmail: boolean;
}

export interface ConsentAsked extends WhoAsked {
  readonly client: AskedClient;
  readonly server: ServerDescription;
  /** Whose session the browser has; null where somebody has still to sign in. */
  readonly person: AskedPerson | null;
}

/** Somebody who is signed in. */
export interface AskedPerson {
  readonly name: string;
  /** Those of the server that they may use. */
  readonly tools: readonly ToolDescription[];
}

/** May this client use that server for you? Asked before anybody is sent to their provider. */
export function consentPage(asked: ConsentAsked): Html {
  const { client, server, person } = asked;
  return html`<h1>Let “${client.name}” use “${server.name}” for you?</h1>
    ${signedInAs(person)} ${whoItIs(client)}
    <dl>
      <dt>It may use</dt>
      <dd>${server.name}${server.description === '' ? '' : `: ${server.description}`}</dd>
      <dt>You go back to</dt>
      <dd>${placeOf(client.redirectUri)}</dd>
    </dl>
    <h2>What it could do there</h2>
    ${person === null ? howMany(server) : toolsOf(person)} ${decisionOf(asked, person !== null)}`;
}

/** What a client asks that is to administer Warder. */
export interface AdminConsentAsked extends WhoAsked {
  readonly client: AskedClient;
  readonly person: { readonly name: string; readonly roles: readonly string[] } | null;
}

/** May this client administer Warder for you? Only one that the company has set up for it comes here. */
export function adminConsentPage(asked: AdminConsentAsked): Html {
  const { client, person } = asked;
  const roles =
    person === null ? 'whatever your roles allow you' : `what your roles allow you: ${person.roles.join(', ')}`;
  return html`<h1>Let “${client.name}” administer Warder for you?</h1>
    ${signedInAs(person)} ${whoItIs(client)}
    <dl>
      <dt>You go back to</dt>
      <dd>${placeOf(client.redirectUri)}</dd>
    </dl>
    <h2>What it could do</h2>
    <p>It may see and change here ${roles}. For each change you must have signed in a short while before.</p>
    ${decisionOf(asked, person !== null)}`;
}

function signedInAs(person: { readonly name: string } | null): Html {
  return person === null ? html`` : html`<p>You are signed in as <strong>${person.name}</strong>.</p>`;
}

function decisionOf(asked: WhoAsked, isSignedIn: boolean): Html {
  return html`<form method="post" action="${asked.action}">
    <input type="hidden" name="token" value="${asked.token}" />
    ${asked.byEmail && !isSignedIn ? EMAIL : html``}
    <div class="acts">
      ${
        isSignedIn
          ? html`<button class="main" name="with" value="session">Allow</button>`
          : asked.choices.map(
              ({ id, name }) =>
                html`<button class="main" name="with" value="${id}">Allow, and sign in with ${name}</button> `,
            )
      }
      <button name="with" value="deny">Do not allow</button>
    </div>
  </form>`;
}

/** Anybody can ask as a client: to who is not signed in the page names no tool. */
function howMany({ toolCount }: ServerDescription): Html {
  const offered =
    toolCount === 0
      ? 'No tool of it is known yet.'
      : `It offers ${toolCount === 1 ? 'one tool' : `${toolCount} tools`}.`;
  return html`<p>
    ${offered} The program may use those that your company lets you use, each under your name on record.
  </p>`;
}

function toolsOf({ tools }: AskedPerson): Html {
  if (tools.length === 0) return html`<p>Your company lets you use no tool of it at the moment.</p>`;
  return html`<p class="quiet">Your company lets you use these tools, and each use is recorded under your name.</p>
    <ul tabindex="0" aria-label="Tools">
      ${tools.map(({ name, what }) => html`<li><strong>${name}</strong> ${what}</li>`)}
    </ul>`;
}

const EMAIL = html`<label for="email">Your work e-mail address</label>
  <input id="email" name="email" type="email" autocomplete="username" />`;

/** Signing in to pages of our own, where there is nothing to allow. */
export function whoPage(asked: WhoAsked & { readonly isAgain: boolean }): Html {
  return html`<h1>${asked.isAgain ? 'Sign in again' : 'Sign in to Warder'}</h1>
    ${
      asked.isAgain
        ? html`<p>What you are about to do asks for it: you signed in to this browser some time ago.</p>`
        : html``
    }
    <form method="post" action="${asked.action}">
      <input type="hidden" name="token" value="${asked.token}" />
      ${asked.byEmail ? EMAIL : html``}
      <div class="acts">
        ${asked.choices.map(
          ({ id, name }) => html`<button class="main" name="with" value="${id}">Sign in with ${name}</button> `,
        )}
      </div>
    </form>`;
}

function whoItIs({ by, id, redirectUri }: AskedClient): Html {
  if (by === 'advance') return html`<p>Your company has set this program up.</p>`;
  if (by === 'document')
    return html`<p>Who it is was verified: <strong>${new URL(id).host}</strong> publishes it.</p>
      ${onThisMachine(redirectUri)}`;
  return html`<p class="note" role="note">
    <strong>Nobody has verified who it is.</strong> It calls itself by that name. Go on only if you have just connected
    a program to Warder yourself.
  </p>`;
}

function onThisMachine(redirectUri: string): Html {
  return redirectUri.startsWith('https:')
    ? html``
    : html`<p class="note" role="note">
        Any program on this computer can pose as it. Go on only if you have just connected it yourself.
      </p>`;
}

function placeOf(redirectUri: string): string {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return `a program on this computer (${host})`;
  return protocol === 'https:' ? host : `a program on this computer (${protocol})`;
}

/** The local directory's form. */
export function passwordPage(asked: { action: string; token: string; email: string; fault: string | null }): Html {
  return html`<h1>Sign in</h1>
    ${faultOf(asked.fault)}
    <form method="post" action="${asked.action}">
      <input type="hidden" name="token" value="${asked.token}" />
      <label for="email">E-mail address</label>
      <input id="email" name="email" type="email" required autocomplete="username" value="${asked.email}" />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required autocomplete="current-password" />
      <div class="acts"><button class="main">Sign in</button></div>
    </form>`;
}

/** Where a link that an administrator gave out leads. */
export function newPasswordPage(asked: { action: string; token: string; name: string; fault: string | null }): Html {
  return html`<h1>Choose a password</h1>
    <p>For <strong>${asked.name}</strong>. The link you came by can be used once.</p>
    ${faultOf(asked.fault)}
    <form method="post" action="${asked.action}">
      <input type="hidden" name="token" value="${asked.token}" />
      <label for="password">Password <span class="quiet">(12 characters or more)</span></label>
      <input
        id="password"
        name="password"
        type="password"
        required
        minlength="12"
        maxlength="256"
        autocomplete="new-password"
      />
      <div class="acts"><button class="main">Save it</button></div>
    </form>`;
}
