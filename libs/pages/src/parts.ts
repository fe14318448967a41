import { type Html, html } from './web.js';

/** A form that is sent from this browser. @param form - ties it to the browser */
export function post(action: string, form: string, body: Html): Html {
  return html`<form method="post" action="${action}">
    <input type="hidden" name="token" value="${form}" />
    ${body}
  </form>`;
}

/** One button behind a question, without a script. */
export function ending(action: string, form: string, what: string, consequence: string): Html {
  return html`<details>
    <summary>${what}</summary>
    ${post(
      action,
      form,
      html`<p>${consequence}</p>
        <button>${what} now</button>`,
    )}
  </details>`;
}

/** A time that a person reads and a program too; there is no script that knew the person's own clock. */
export function time(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** Names, one after the other. */
export function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

/** One sentence, and nothing to do. */
export function noticePage(title: string, sentence: string): Html {
  return html`<h1>${title}</h1>
    <p>${sentence}</p>`;
}

/** What was wrong with a form. */
export function faultOf(fault: string | null): Html {
  return fault === null ? html`` : html`<p class="fault" role="alert">${fault}</p>`;
}
