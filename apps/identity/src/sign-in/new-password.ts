import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerPage, type BrowserForms, formOf, noticePage, PageError } from '@warder/pages';
import type { SessionsStore } from '../account/sessions.store.js';
import { newPasswordPage } from './pages.js';
import type { PeopleStore } from './people.store.js';
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, type PasswordsStore } from './passwords.store.js';

/** Where a link that an administrator gave out leads: its owner chooses a password, once, and is signed out everywhere. */
export class NewPassword {
  constructor(
    private readonly passwords: PasswordsStore,
    private readonly forms: BrowserForms,
    private readonly sessions: Pick<SessionsStore, 'endOthersWithin'>,
    private readonly people: Pick<PeopleStore, 'signOutWithin'>,
    private readonly addressOf: (request: IncomingMessage) => string,
  ) {}

  /** @throws PageError */
  async handle(request: IncomingMessage, response: ServerResponse, link: string): Promise<void> {
    const owner = /^[\w-]{43}$/.test(link) ? await this.passwords.ownerOf(link) : undefined;
    if (owner === undefined) throw ended();
    const show = (status: number, token: string, fault: string | null): void => {
      const asked = { action: `/sign-in/new-password/${link}`, token, name: owner.email ?? owner.name, fault };
      answerPage(response, status, 'Choose a password', newPasswordPage(asked));
    };
    if (request.method === 'GET') return show(200, this.forms.token(request, response, link), null);
    const form = await formOf(request);
    this.forms.ensure(request, form, link);
    const password = form.get('password') ?? '';
    if (password.length < PASSWORD_CHARS_MIN || password.length > PASSWORD_CHARS_MAX) {
      const fault = `A password has ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters.`;
      return show(400, form.get('token') ?? '', fault);
    }
    const by = { principal: null, token: null, address: this.addressOf(request) };
    const isSet = await this.passwords.set(link, password, by, async (manager, chosenBy) => {
      // A link is also given out because somebody else knows the password: whoever came in by it is out, and so is every
      // program that they may have let in.
      await this.sessions.endOthersWithin(manager, chosenBy.id, null, by);
      await this.people.signOutWithin(manager, chosenBy, by, { why: 'password set by a link' });
    });
    if (!isSet) throw ended();
    answerPage(
      response,
      200,
      'Password saved',
      noticePage('Saved', 'You can sign in with it now, from your program or at your account.'),
    );
  }
}

function ended(): PageError {
  return new PageError(404, 'This link was used, or has ended. Ask for a new one.');
}
