import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerPage, type BrowserForms, formOf, PageError, redirect } from '@warder/pages';
import type { Provider } from 'oidc-provider';
import type { SessionsStore } from '../account/sessions.store.js';
import { ACCOUNT_CLIENT } from '../authorization/first-party.js';
import type { InteractionsStore } from '../authorization/interactions.store.js';
import { type Resource, resourceAt, scopeOf, urlOf } from '../authorization/resources.js';
import type { VirtualServers } from '../authorization/virtual-servers.js';
import { type Principal, principalStateOf } from '../principal.entity.js';
import type { AttemptsStore } from './attempts.store.js';
import type { BackchannelLogout } from './backchannel-logout.js';
import type { CompanySignIn } from './company-sign-in.js';
import type { NewPassword } from './new-password.js';
import { freshSince } from './fresh-sign-in.js';
import { adminConsentPage, consentPage, passwordPage, whoPage } from './pages.js';
import type { PasswordsStore, Proved } from './passwords.store.js';
import type { PeopleStore } from './people.store.js';
import { type SignInLimits, tooMany } from './sign-in-limits.js';
import type { SingleLogout } from './single-logout.js';
import { answerFailure, type FailureParts } from './sign-in-failure.js';

/** The local directory among the ways to sign in. */
export const LOCAL = 'local';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

export interface SignInParts {
  readonly provider: Provider;
  readonly origin: string;
  readonly forms: BrowserForms;
  readonly newPassword: NewPassword;
  readonly backchannel: BackchannelLogout;
  readonly singleLogout: SingleLogout;
  readonly servers: VirtualServers;
  readonly attempts: AttemptsStore;
  readonly interactions: InteractionsStore;
  readonly sessions: Pick<SessionsStore, 'endIfThere'>;
  readonly people: PeopleStore;
  readonly passwords: PasswordsStore;
  readonly company: CompanySignIn;
  readonly hasLocal: boolean;
  /** What is known of a client before its person is asked. */
  clientBy(clientId: string): 'advance' | 'document' | 'registration';
  address(request: IncomingMessage): string;
  readonly limits: SignInLimits;
  wallMs(): number;
  onConsent(told: { principal: Principal; clientId: string; resource: Resource; address: string }): Promise<void>;
  /** A sign-in that failed or was refused, for the record. */
  readonly onFailure: FailureParts['onFailure'];
  readonly onBug: FailureParts['onBug'];
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
    // Asked for now: a form that is not read to its end leaves a request without its connection.
    const address = this.parts.address(request);
    try {
      await this.route(request, response, address);
    } catch (error) {
      // Who hung up is told nothing, and is no error.
      if (error !== request.errored) answerFailure(request, response, error, { ...this.parts, address });
    }
  }

  /** Answers one request too many of its address. */
  readonly tooMuch = (request: IncomingMessage, response: ServerResponse, waitMs: number): void => {
    const refusal = tooMany('Too much at once. Wait a minute and try again.', waitMs);
    answerFailure(request, response, refusal, { ...this.parts, address: this.parts.address(request) });
  };

  private async route(request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split(/(?=\?)/, 2);
    const [, , first = '', second = '', ...more] = path.split('/');
    const isPost = request.method === 'POST';
    if (request.method !== 'GET' && !isPost) throw new PageError(405, 'This page is for a browser.');
    if (more.length > 0 || !/^[\w-]{1,64}$/.test(first)) throw new PageError(404, 'There is no such page.');
    // A provider tells of everybody who leaves, in whatever number; what it says is signed.
    if (first === 'logout') this.parts.limits.ensureHeard(address);
    else if (isPost && first !== 'backchannel') this.parts.limits.takeAttempt(address);
    else if (first === 'callback') this.parts.limits.takeReturn(address);
    if (first === 'callback' && isPost) return this.parts.company.keepPosted(request, response, second);
    if (first === 'callback') return this.comeBack(request, response, second, query);
    if (first === 'logout') return this.parts.singleLogout.handle(request, response, second, query);
    if (first === 'metadata' && !isPost) return this.parts.company.describe(response, second);
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
    const { servers, company, hasLocal } = this.parts;
    const choices = company.choices();
    if (hasLocal) choices.push({ id: LOCAL, name: 'a password' });
    const form = {
      action: `/sign-in/${interaction.uid}`,
      token: this.parts.forms.token(request, response, interaction.uid),
      choices,
      byEmail: company.isByEmail,
    };
    if (isOurs(interaction)) {
      const isAgain = interaction.session?.accountId !== undefined;
      return answerPage(response, 200, 'Sign in', whoPage({ ...form, isAgain }));
    }
    const client = await this.clientOf(interaction);
    const resource = this.resourceOf(interaction);
    const found = await this.sessionPerson(interaction);
    if (resource.kind === 'admin') {
      const person = found === undefined ? null : { name: found.name, roles: found.roles };
      return answerPage(response, 200, `Allow ${client.name}?`, adminConsentPage({ ...form, client, person }));
    }
    const server = servers.describe(resource.name);
    if (server === undefined) throw new PageError(404, 'The server that was asked for is not there any more.');
    const person = found && { name: found.name, tools: servers.grantedTools(server.name, principalStateOf(found)) };
    const body = consentPage({ ...form, client, server, person: person ?? null });
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
      return this.finish(request, response, interaction, person, null);
    }
    const email = (form.get('email') ?? '').slice(0, 320);
    if (choice === LOCAL && this.parts.hasLocal) {
      const state = await this.parts.attempts.begin(LOCAL, browser, { interaction: interaction.uid, secrets: {} });
      return redirect(response, `/sign-in/${interaction.uid}/password?state=${state}`);
    }
    const chosen = this.parts.company.providerFor(choice, email);
    if (chosen === undefined) throw new PageError(400, 'There is no such way to sign in.');
    const freshSinceMs = freshSince(interaction, this.parts.wallMs());
    return this.parts.company.leave(response, chosen, { browser, interaction: interaction.uid, email, freshSinceMs });
  }

  /** Back from a provider. */
  private async comeBack(request: IncomingMessage, response: ServerResponse, id: string, query: string): Promise<void> {
    const { company, provider } = this.parts;
    const { interaction: uid, principal, signedInAtS } = await company.comeBack(request, id, query);
    const interaction = await provider.Interaction.find(uid);
    if (interaction === undefined) throw new PageError(400, 'That took too long. Start again in your program.');
    return this.finish(request, response, interaction, principal, { provider: id, ts: signedInAtS });
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
    this.parts.limits.takeGuess(email);
    const proved = await this.parts.passwords.check(email, form.get('password') ?? '');
    if (proved === undefined) {
      this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: 'local: wrong address or password', address });
      return show(401, email, 'This address and password do not belong together.', form.get('token') ?? '');
    }
    const attempt = await this.parts.attempts.take(state, LOCAL, browser);
    if (attempt?.interaction !== interaction.uid) {
      throw new PageError(400, 'This sign-in is over. Start again in your program.');
    }
    const { principal, stands } = proved;
    await this.parts.people.signedInHere(principal, address);
    return this.finish(request, response, interaction, principal, { provider: LOCAL, stands });
  }

  /**
   * Gives the client what the person allowed it, and sends the browser on to it.
   * @param by - the way in which the person has just signed in; null where the browser's session said who it is
   * @throws PageError 400, on record, where what they proved themselves by has ended meanwhile
   */
  private async finish(
    request: IncomingMessage,
    response: ServerResponse,
    interaction: Interaction,
    principal: Principal,
    by: SignedInBy | null,
  ): Promise<void> {
    // A session is as old as the sign-in that it came of, and a consent makes it no younger.
    const { provider = null, ts = Math.floor(this.parts.wallMs() / 1_000), stands = async () => true } = by ?? {};
    const login = by === null ? {} : { login: { accountId: principal.id, remember: true as const, ts } };
    const grant = isOurs(interaction) ? undefined : await this.grant(interaction, principal);
    const consent = grant === undefined ? {} : { consent: { grantId: grant.id } };
    const result = { ...login, ...consent, provider };
    await this.leaveOther(request, interaction, principal);
    if (!(await this.parts.interactions.keep(interaction.uid, result, principal, stands))) {
      await grant?.takeBack();
      const detail = `${provider ?? 'session'}: what the person signed in by has ended meanwhile`;
      this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail, address: this.parts.address(request) });
      throw new PageError(400, 'You were signed out meanwhile. Start again in your program.');
    }
    if (grant !== undefined) await this.noteConsent(request, interaction, principal);
    return redirect(response, interaction.returnTo);
  }

  /** Signs out whoever else is signed in in the browser: it has one session, of whoever signed in last. */
  private async leaveOther(request: IncomingMessage, { session }: Interaction, principal: Principal): Promise<void> {
    if (session?.accountId === undefined || session.accountId === principal.id) return;
    const by = { principal: principalStateOf(principal), token: null, address: this.parts.address(request) };
    await this.parts.sessions.endIfThere(session.accountId, session.uid, by);
  }

  private async noteConsent(request: IncomingMessage, interaction: Interaction, principal: Principal): Promise<void> {
    const clientId = String(interaction.params['client_id']);
    const resource = this.resourceOf(interaction);
    await this.parts.onConsent({ principal, clientId, resource, address: this.parts.address(request) });
  }

  /** What the person allows the client, beside what they allowed it before; it can be taken back if it was nothing before. */
  private async grant(
    interaction: Interaction,
    principal: Principal,
  ): Promise<{ readonly id: string; takeBack(): Promise<void> }> {
    const { provider, origin } = this.parts;
    const clientId = String(interaction.params['client_id']);
    const resource = this.resourceOf(interaction);
    const isOwn = interaction.session?.accountId === principal.id;
    const known = isOwn && interaction.grantId ? await provider.Grant.find(interaction.grantId) : undefined;
    const grant = known ?? new provider.Grant({ accountId: principal.id, clientId });
    grant.addOIDCScope(`openid offline_access ${scopeOf(resource)}`);
    grant.addResourceScope(urlOf(origin, resource), scopeOf(resource));
    const id = await grant.save();
    return { id, takeBack: async () => (known === undefined ? grant.destroy() : undefined) };
  }

  private resourceOf({ params }: Interaction): Resource {
    const { resource } = params;
    const named = typeof resource === 'string' ? resourceAt(this.parts.origin, resource) : undefined;
    return named ?? { kind: 'server', name: this.parts.servers.names()[0] ?? '' };
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
}

/** How somebody has just signed in. */
interface SignedInBy {
  readonly provider: string;
  /** When, in seconds since the epoch, where that was not just now. */
  readonly ts?: number;
  /** Whether what they proved themselves by is still the same; absent where it is of the provider's. */
  readonly stands?: Proved['stands'];
}

/** Whether it is for pages of our own: nobody is asked whether these may know who it is. */
function isOurs({ params }: Interaction): boolean {
  return params['client_id'] === ACCOUNT_CLIENT;
}
