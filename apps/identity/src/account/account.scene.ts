import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import type { IdentityScene } from '../identity.scene.js';

export const PASSWORD = 'correct horse battery staple';

/** Somebody of the local directory, with their browser. */
export class Person {
  readonly browser = new ScriptedBrowser();

  constructor(
    private readonly scene: IdentityScene,
    readonly id: string,
    readonly email: string,
  ) {}

  /** A person who has chosen a password. */
  static async make(scene: IdentityScene, name: string, body: object = {}): Promise<Person> {
    const email = `${name}@example.com`;
    const { id } = (await scene.ask('POST', '/principals', { name, email, ...body })).body;
    const link = (await scene.ask('POST', `/principals/${id}/password-link`)).body as unknown as { url: string };
    const person = new Person(scene, id, email);
    const saved = await person.browser.submit(await person.browser.open(link.url), { password: PASSWORD });
    if (saved.status !== 200) throw new Error(saved.text);
    return person;
  }

  /** The same person at another browser. */
  elsewhere(): Person {
    return new Person(this.scene, this.id, this.email);
  }

  open(path = ''): Promise<BrowserPage> {
    return this.browser.open(`${this.scene.running!.url}/account${path}`);
  }

  /** Opens a page, and signs in on the way where it is asked to. */
  async come(path = '', password = PASSWORD): Promise<BrowserPage> {
    let page = await this.open(path);
    if (page.text.includes('name="with"')) page = await this.browser.submit(page, { with: 'local' });
    if (page.text.includes('type="password"') && page.url.includes('/sign-in/'))
      page = await this.browser.submit(page, { email: this.email, password });
    return page;
  }

  /** Sends a form of the page to a place under the account. */
  send(page: BrowserPage, path: string, values: Record<string, string> = {}): Promise<BrowserPage> {
    return this.browser.open(`${this.scene.running!.url}/account${path}`, { token: tokenOf(page), ...values });
  }
}

/** What ties the forms of a page to its browser. */
export function tokenOf({ text }: BrowserPage): string {
  return /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
}

/** Tells identity of one virtual server. */
export async function tellPolicy(scene: IdentityScene): Promise<void> {
  const document = PolicyDocument.parse({ upstreams: {}, virtualServers: { dev: { tools: [] } }, grants: [] });
  await scene.bus.ensureTopics([policySnapshotTopic]);
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
}
