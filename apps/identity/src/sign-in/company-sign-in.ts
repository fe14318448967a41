import type { IncomingMessage, ServerResponse } from 'node:http';
import { type BrowserForms, formOf, PageError, redirect } from '@warder/pages';
import type { Principal } from '../principal.entity.js';
import type { AttemptsStore } from './attempts.store.js';
import type { AttemptSecrets, CompanyProvider } from './company-provider.js';
import { sessionTime, staleness } from './fresh-sign-in.js';
import type { SignInChoice } from './pages.js';
import type { PeopleStore, SignedInThere } from './people.store.js';

/** Where somebody begins who comes from a provider without having been sent there. */
const UNASKED_PATH = '/account';

export interface CompanySignInParts {
  readonly providers: readonly CompanyProvider[];
  readonly attempts: AttemptsStore;
  readonly people: PeopleStore;
  readonly forms: BrowserForms;
  wallMs(): number;
  /** Whether what was asked before the browser left still waits for its answer. */
  isAwaited(interaction: string): Promise<boolean>;
  address(request: IncomingMessage): string;
  /** A sign-in that failed, for the record. */
  onFailure(told: { code: 'WDR_SIGN_IN_FAILED' | 'WDR_SIGN_IN_REFUSED'; detail: string; address: string }): void;
  onBug(error: unknown): void;
}

/** Somebody who came back from a provider, and what they had been asked before they left. */
export interface CameBack {
  readonly interaction: string;
  readonly principal: Principal;
  /** When they said at the provider who they are, seconds since the epoch. */
  readonly signedInAtS: number;
}

/** Who leaves for a provider. */
export interface Leaving {
  /** The browser's secret. */
  readonly browser: string;
  readonly interaction: string;
  /** As the person wrote it; empty where they did not. */
  readonly email: string;
  /** Since when they have to have said who they are, wall milliseconds; undefined where any sign-in will do. */
  readonly freshSinceMs: number | undefined;
}

/** The way to the company's providers and back, whichever protocol each of them speaks. */
export class CompanySignIn {
  constructor(private readonly parts: CompanySignInParts) {}

  /** A way to sign in for each provider. */
  choices(): SignInChoice[] {
    return this.parts.providers.map(({ provider: { id, name } }) => ({ id, name }));
  }

  /** Whether somebody's provider can be found by their address. */
  get isByEmail(): boolean {
    const { providers } = this.parts;
    return providers.length > 1 && providers.some(({ provider }) => provider.emailDomains.length > 0);
  }

  /** The provider of the address's domain, or else the one that was chosen. */
  providerFor(choice: string, email: string): CompanyProvider | undefined {
    const { providers } = this.parts;
    const domain = email.split('@')[1]?.toLowerCase();
    const byDomain = providers.find(({ provider }) => domain !== undefined && provider.emailDomains.includes(domain));
    return byDomain ?? providers.find(({ provider }) => provider.id === choice);
  }

  /**
   * Sends the browser to the provider.
   * @throws PageError 502 where the provider cannot be reached
   */
  async leave(
    response: ServerResponse,
    to: CompanyProvider,
    { browser, interaction, email, freshSinceMs }: Leaving,
  ): Promise<void> {
    const secrets: AttemptSecrets = {
      ...to.secrets(),
      ...(freshSinceMs === undefined ? {} : { freshSinceMs: String(freshSinceMs) }),
    };
    const state = await this.parts.attempts.begin(to.provider.id, browser, { interaction, secrets });
    const address = await to.address(state, secrets, email === '' ? undefined : email).catch((error: unknown) => {
      this.parts.onBug(error);
      throw new PageError(502, `${to.provider.name} cannot be reached at the moment. Try again in your program.`);
    });
    return redirect(response, address);
  }

  /**
   * Takes what a page of the provider's had the browser post, and has the browser come for it. The answer stays with its
   * attempt, and what comes next is as if the browser had been sent back with an address.
   * @throws PageError
   */
  async keepPosted(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    const from = this.parts.providers.find(({ provider }) => provider.id === id);
    if (from?.postedAnswers === undefined) throw new PageError(404, 'There is no such page.');
    const { bytesMax, areWelcomeUnasked } = from.postedAnswers;
    const { state, answer } = from.postedAnswers.read(await formOf(request, bytesMax));
    if (await this.parts.attempts.hold(state, id, answer)) {
      return redirect(response, `/sign-in/callback/${id}?${new URLSearchParams({ state }).toString()}`);
    }
    // What nobody here asked for is not read, whatever it says; where to go next is not its sender's to say either.
    if (areWelcomeUnasked) return redirect(response, UNASKED_PATH);
    const address = this.parts.address(request);
    this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: `${id}: an answer that nobody asked for`, address });
    throw new PageError(400, 'This sign-in is over, or did not begin here. Start in your program.');
  }

  /**
   * Takes the browser back from the provider with this id.
   * @throws PageError where nobody is to be let in, which is on record then
   */
  async comeBack(request: IncomingMessage, id: string, query: string): Promise<CameBack> {
    const { attempts, people, forms } = this.parts;
    const from = this.parts.providers.find(({ provider }) => provider.id === id);
    if (from === undefined) throw new PageError(404, 'There is no such page.');
    const address = this.parts.address(request);
    const state = new URLSearchParams(query).get('state') ?? '';
    const attempt = await attempts.take(state, id, forms.browser(request) ?? '');
    if (attempt === undefined) {
      this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: `${id}: no such attempt in this browser`, address });
      throw new PageError(400, 'This sign-in is over, or began in another browser. Start again in your program.');
    }
    const { interaction, secrets, posted } = attempt;
    if (!(await this.parts.isAwaited(interaction)))
      throw new PageError(400, 'That took too long. Start again in your program.');
    const vouched = await from.vouched({ query, state, posted }, secrets).catch((error: unknown) => {
      const detail = `${id}: ${(error as { code?: string }).code ?? (error as Error).name}`;
      this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail, address });
      throw new PageError(502, `${from.provider.name} did not confirm who you are. Start again in your program.`);
    });
    this.ensureFresh(vouched, from, secrets, address);
    const principal = await people.signedIn(vouched, from.provider, address);
    if (principal === undefined) {
      const detail = `${id}: ${vouched.subject} is nobody here, or kept out`;
      this.parts.onFailure({ code: 'WDR_SIGN_IN_REFUSED', detail, address });
      throw new PageError(403, 'You have no access here. Ask whoever runs Warder in your company.');
    }
    return { interaction, principal, signedInAtS: sessionTime(vouched, this.parts.wallMs()) };
  }

  /** Ensures that somebody who had to sign in anew did. @throws PageError 403, on record */
  private ensureFresh(
    vouched: SignedInThere,
    { provider }: CompanyProvider,
    { freshSinceMs }: AttemptSecrets,
    address: string,
  ): void {
    if (freshSinceMs === undefined) return;
    const fault = staleness(vouched, provider, Number(freshSinceMs), this.parts.wallMs());
    if (fault === undefined) return;
    this.parts.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: `${provider.id}: ${fault}`, address });
    throw new PageError(
      403,
      `This asks for a new sign-in, and ${provider.name} did not confirm that you have just signed in there.`,
    );
  }

  /** Answers what the provider with this id is told of us. @throws PageError 404 */
  async describe(response: ServerResponse, id: string): Promise<void> {
    const metadata = this.parts.providers.find(({ provider }) => provider.id === id)?.metadata;
    if (metadata === undefined) throw new PageError(404, 'There is no such page.');
    const bytes = Buffer.from(metadata.text);
    response.writeHead(200, { 'content-type': metadata.type, 'content-length': bytes.length });
    response.end(bytes);
  }
}
