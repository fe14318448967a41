import type { IncomingMessage, ServerResponse } from 'node:http';
import { OAUTH_SCOPE } from '@warder/contracts';
import type { Provider } from 'oidc-provider';
import type { VirtualServers } from '../authorization/virtual-servers.js';
import type { Principal } from '../principal.entity.js';
import type { AttemptsStore } from './attempts.store.js';
import type { OidcSecrets, OidcSignIn } from './oidc-sign-in.js';
import type { BackchannelLogout } from './backchannel-logout.js';
import type { BrowserForms } from './browser-forms.js';
import type { NewPassword } from './new-password.js';
import { consentPage, noticePage, passwordPage, type SignInChoice } from './pages.js';
import type { PasswordsStore } from './passwords.store.js';
import type { PeopleStore } from './people.store.js';
import { answerPage, formOf, PageError, redirect } from './web.js';

/** The local directory among the ways to sign in. */
export const LOCAL = 'local';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

export interface SignInParts {
  readonly provider: Provider;
  readonly origin: string;
  readonly forms: BrowserForms;
  readonly newPassword: NewPassword;
  readonly backchannel: BackchannelLogout;
  readonly servers: VirtualServers;
  readonly attempts: AttemptsStore;
  readonly people: PeopleStore;
  readonly passwords: PasswordsStore;
  readonly providers: readonly OidcSignIn[];
  readonly hasLocal: boolean;
  /** What is known of a client before its person is asked. */
  clientBy(clientId: string): 'advance' | 'document' | 'registration';
  address(request: IncomingMessage): string;
  /** Takes one attempt of the address. @throws PageError 429 */
  takeAttempt(address: string): void;
  onConsent(told: { principal: Principal; clientId: string; virtualServer: string; address: string }): Promise<void>;
  /** A sign-in that failed, for the record. */
  onFailure(told: { code: 'WDR_SIGN_IN_FAILED' | 'WDR_SIGN_IN_REFUSED'; detail: string; address: string }): void;
  onBug(error: unknown): void;
}

/**
 * The pages between a client's question and its answer: what is asked for, then who it is. The person decides before
 * anybody is sent to a provider, and the browser that comes back must be the one in which they decided: otherwise a
 * client of an attacker could use a consent that somebody else gave (the confused deputy).
 */
export class SignIn {
  constructor(private readonly parts: SignInParts) {}

  /** Answers one request under `/sign-in`. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.route(request, response);
    } catch (error) {
      const isTold = error instanceof PageError;
      const isOver =
        (error as { error?: string }).error === 'invalid_request' || (error as Error).name === 'SessionNotFound';
      if (!isTold && !isOver) this.parts.onBug(error);
      const sentence = isTold
        ? error.message
        : isOver
          ? 'This sign-in is over, or began in another browser. Start again in your program.'
          : 'Something went wrong here. Start again in your program.';
      if (!response.headersSent)
        answerPage(
          response,
          isTold ? error.status : isOver ? 400 : 500,
          'Sign in',
          noticePage('That did not work', sentence),
        );
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split(/(?=\?)/, 2);
    const [, , first = '', second = '', ...more] = path.split('/');
    const isPost = request.method === 'POST';
    if (request.method !== 'GET' && !isPost) throw new PageError(405, 'This page is for a browser.');
    if (more.length > 0 || !/^[\w-]{1,64}$/.test(first)) throw new PageError(404, 'There is no such page.');
    if (isPost) this.parts.takeAttempt(this.parts.address(request));
    if (first === 'callback') return this.comeBack(request, response, second, query);
    if (first === 'backchannel') return this.parts.backchannel.handle(request, response, second);
    if (first === 'new-password') return this.parts.newPassword.handle(request, response, second);
    const interaction = await this.parts.provider.interactionDetails(request, response);
    if (interaction.uid !== first)
      throw new PageError(400, 'This sign-in began in another window. Start again in your program.');
    if (second === 'password') return this.password(request, response, interaction, query);
    if (second !== '') throw new PageError(404, 'There is no such page.');
    return isPost ? this.decide(request, response, interaction) : this.ask(request, response, interaction);
  }

  /** Asks what the person wants, before anybody is sent anywhere. */
  private async ask(request: IncomingMessage, response: ServerResponse, interaction: Interaction): Promise<void> {
    const { servers, providers, hasLocal } = this.parts;
    const client = await this.clientOf(interaction);
    const server = servers.describe(this.serverOf(interaction));
    if (server === undefined) throw new PageError(404, 'The server that was asked for is not there any more.');
    const person = await this.sessionPerson(interaction);
    const choices: SignInChoice[] = providers.map(({ provider }) => ({ id: provider.id, name: provider.name }));
    if (hasLocal) choices.push({ id: LOCAL, name: 'a password' });
    const body = consentPage({
      action: `/sign-in/${interaction.uid}`,
      token: this.parts.forms.token(request, response, interaction.uid),
      client,
      server,
      person: person?.name ?? null,
      choices,
      byEmail: providers.length > 1 && providers.some(({ provider }) => provider.emailDomains.length > 0),
    });
    answerPage(response, 200, `Allow ${client.name}?`, body);
  }

  private async decide(request: IncomingMessage, response: ServerResponse, interaction: Interaction): Promise<void> {
    const form = await formOf(request);
    const browser = this.parts.forms.ensure(request, form, interaction.uid);
    const choice = form.get('with') ?? '';
    if (choice === 'deny') {
      const result = { error: 'access_denied', error_description: 'the person did not allow it' };
      return this.parts.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    }
    if (choice === 'session') {
      const person = await this.sessionPerson(interaction);
      if (person === undefined)
        throw new PageError(400, 'You are not signed in any more. Start again in your program.');
      return this.finish(request, response, interaction, person);
    }
    const email = (form.get('email') ?? '').slice(0, 320);
    const chosen = this.providerFor(choice, email);
    if (chosen === undefined && !(choice === LOCAL && this.parts.hasLocal)) {
      throw new PageError(400, 'There is no such way to sign in.');
    }
    if (chosen === undefined) {
      const state = await this.parts.attempts.begin(LOCAL, browser, { interaction: interaction.uid, secrets: {} });
      return redirect(response, `/sign-in/${interaction.uid}/password?state=${state}`);
    }
    const secrets = chosen.secrets();
    const attempt = { interaction: interaction.uid, secrets: { ...secrets } };
    const state = await this.parts.attempts.begin(chosen.provider.id, browser, attempt);
    const hint = email === '' ? undefined : email;
    return redirect(response, await this.reached(chosen, () => chosen.address(state, secrets, hint)));
  }

  /** Back from a provider. */
  private async comeBack(request: IncomingMessage, response: ServerResponse, id: string, query: string): Promise<void> {
    const from = this.parts.providers.find(({ provider }) => provider.id === id);
    if (from === undefined) throw new PageError(404, 'There is no such page.');
    const address = this.parts.address(request);
    const state = new URLSearchParams(query).get('state') ?? '';
    const browser = this.parts.forms.browser(request) ?? '';
    const attempt = await this.parts.attempts.take(state, id, browser);
    if (attempt === undefined) {
      this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: `${id}: no such attempt in this browser`, address });
      throw new PageError(400, 'This sign-in is over, or began in another browser. Start again in your program.');
    }
    const interaction = await this.parts.provider.Interaction.find(attempt.interaction);
    if (interaction === undefined) throw new PageError(400, 'That took too long. Start again in your program.');
    const vouched = await from
      .vouched(query, state, attempt.secrets as unknown as OidcSecrets)
      .catch((error: unknown) => {
        const detail = `${id}: ${(error as { code?: string }).code ?? (error as Error).name}`;
        this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail, address });
        throw new PageError(502, `${from.provider.name} did not confirm who you are. Start again in your program.`);
      });
    const principal = await this.parts.people.signedIn(vouched, from.provider, address);
    if (principal === undefined) {
      const detail = `${id}: ${vouched.subject} is nobody here, or kept out`;
      this.parts.onFailure({ code: 'WDR_SIGN_IN_REFUSED', detail, address });
      throw new PageError(403, 'You have no access here. Ask whoever runs Warder in your company.');
    }
    return this.finish(request, response, interaction, principal);
  }

  /** The local directory's form. */
  private async password(
    request: IncomingMessage,
    response: ServerResponse,
    interaction: Interaction,
    query: string,
  ): Promise<void> {
    if (!this.parts.hasLocal) throw new PageError(404, 'There is no such page.');
    const state = new URLSearchParams(query).get('state') ?? '';
    const action = `/sign-in/${interaction.uid}/password?state=${state}`;
    const show = (status: number, email: string, fault: string | null, token: string): void =>
      answerPage(
        response,
        status,
        'Sign in',
        passwordPage({ action: action.replace(/[^\w/?=-]/g, ''), token, email, fault }),
      );
    if (request.method === 'GET') {
      return show(200, '', null, this.parts.forms.token(request, response, interaction.uid));
    }
    const form = await formOf(request);
    const browser = this.parts.forms.ensure(request, form, interaction.uid);
    const address = this.parts.address(request);
    const email = (form.get('email') ?? '').slice(0, 320);
    const principal = await this.parts.passwords.check(email, form.get('password') ?? '');
    if (principal === undefined) {
      this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: 'local: wrong address or password', address });
      return show(401, email, 'This address and password do not belong together.', form.get('token') ?? '');
    }
    const attempt = await this.parts.attempts.take(state, LOCAL, browser);
    if (attempt?.interaction !== interaction.uid) {
      throw new PageError(400, 'This sign-in is over. Start again in your program.');
    }
    await this.parts.people.signedInHere(principal, address);
    return this.finish(request, response, interaction, principal);
  }

  /** Gives the client what the person allowed it, and sends the browser on to it. */
  private async finish(
    request: IncomingMessage,
    response: ServerResponse,
    interaction: Interaction,
    principal: Principal,
  ): Promise<void> {
    const { provider, origin } = this.parts;
    const clientId = String(interaction.params['client_id']);
    const virtualServer = this.serverOf(interaction);
    const isOwn = interaction.session?.accountId === principal.id;
    const known = isOwn && interaction.grantId ? await provider.Grant.find(interaction.grantId) : undefined;
    const grant = known ?? new provider.Grant({ accountId: principal.id, clientId });
    grant.addOIDCScope(`openid offline_access ${OAUTH_SCOPE}`);
    grant.addResourceScope(`${origin}/mcp/${virtualServer}`, OAUTH_SCOPE);
    const grantId = await grant.save();
    await this.parts.onConsent({ principal, clientId, virtualServer, address: this.parts.address(request) });
    interaction.result = { login: { accountId: principal.id, remember: true }, consent: { grantId } };
    await interaction.save(Math.max(1, interaction.exp - Math.floor(Date.now() / 1_000)));
    return redirect(response, interaction.returnTo);
  }

  private serverOf({ params }: Interaction): string {
    const { resource } = params;
    const name = typeof resource === 'string' ? resource.slice(`${this.parts.origin}/mcp/`.length) : undefined;
    return name ?? this.parts.servers.names()[0] ?? '';
  }

  private async clientOf({ params }: Interaction): Promise<Parameters<typeof consentPage>[0]['client']> {
    const id = String(params['client_id']);
    const client = await this.parts.provider.Client.find(id);
    if (client === undefined) throw new PageError(400, 'The program that asked is not known any more.');
    const name = (client.clientName ?? id).replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '').slice(0, 100);
    return { id, name, by: this.parts.clientBy(id), redirectUri: String(params['redirect_uri']) };
  }

  /** Whose session the browser has, where the client did not ask for a new sign-in. */
  private async sessionPerson({ session, prompt }: Interaction): Promise<Principal | undefined> {
    if (session?.accountId === undefined || prompt.name === 'login') return undefined;
    return this.parts.people.active(session.accountId);
  }

  private providerFor(choice: string, email: string): OidcSignIn | undefined {
    const { providers } = this.parts;
    const domain = email.split('@')[1]?.toLowerCase();
    const byDomain = providers.find(({ provider }) => domain !== undefined && provider.emailDomains.includes(domain));
    return choice === LOCAL ? undefined : (byDomain ?? providers.find(({ provider }) => provider.id === choice));
  }

  private async reached<T>({ provider }: OidcSignIn, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.parts.onBug(error);
      throw new PageError(502, `${provider.name} cannot be reached at the moment. Try again in your program.`);
    }
  }
}
