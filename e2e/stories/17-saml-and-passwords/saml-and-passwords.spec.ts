import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keycloakSaml, keycloakSamlClient, RealBrowser, type RunningKeycloak, startKeycloak } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallLoad } from '../../call-load.js';
import { SETTINGS, signingInRemote, signingInV1, signingInV2 } from '../../clients/signing-in-clients.js';
import { COMPANY_ID, COMPANY_NAME, CompanyPerson } from '../../company-people.js';
import { Callbacks, ClientPublisher } from '../../company-places.js';
import { FixtureScene, VIRTUAL_SERVER } from '../../fixture-scene.js';
import { LocalPerson } from '../../local-people.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';

const CLIENTS = [
  { ...signingInV1, by: 'registration' },
  { ...signingInV2, by: 'document' },
  { ...signingInRemote, by: 'registration' },
] as const;
/** The first start on a machine fetches and builds Keycloak. */
const KEYCLOAK_MS = 600_000;
/** Of the target, one second, a slow machine may miss some; a node that never hears of it does not pass. */
const PATIENCE_MS = 30_000;
const QUESTION = /^Let “.+” use “.+” for you\?$/;
const DAN = { email: 'dan@example.com', password: 'correct horse battery staple' };
/** Each way in, with what its second page says it is. */
const WAYS = [
  { way: 'Keycloak as SAML provider', who: 'ana', email: 'ana@corp.example', page: 'Sign in to The company' },
  { way: 'a password of ours', who: 'dan', email: DAN.email, page: 'Sign in' },
] as const;
const ATTEMPTS = WAYS.flatMap((way) => CLIENTS.map((kind) => ({ ...way, kind, name: kind.name, by: kind.by })));

describe.each(shapesOf('17-saml-and-passwords'))('people by SAML and by passwords of ours, in %s', (shape) => {
  let dir: string;
  let keycloak: RunningKeycloak;
  let browser: RealBrowser;
  let callbacks: Callbacks;
  let publisher: ClientPublisher;
  let scene: FixtureScene;

  const origin = () => new URL(scene.warder.endpoint).origin;
  const endpoint = () => new URL(`/mcp/${VIRTUAL_SERVER}`, scene.warder.endpoint).href;
  const at = (who: 'ana' | 'ben' | 'dan'): Promise<CompanyPerson | LocalPerson> => {
    const places = { warder: `${origin()}/`, keycloak: `${keycloak.issuer}/`, callback: callbacks.url };
    return who === 'dan' ? LocalPerson.at(browser, DAN, places) : CompanyPerson.at(browser, who, places);
  };
  const newMemory = () => new Map<string, unknown>([[SETTINGS.callback, callbacks.url]]);
  /** A client of a person's that signed in. */
  const signedIn = async (who: 'ben' | 'dan') => {
    const person = await at(who);
    const memory = newMemory();
    const client = await signingInV1.open(endpoint(), person.allow, memory, dir);
    await client.call('known__echo', { text: who, nonce: newNonce() });
    await client.close();
    const { access_token: token } = memory.get('tokens') as { access_token: string };
    return { person, memory, token };
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-saml-'));
    // For a browser another site than Warder's door, as a company's provider is: what it posts comes without our cookie.
    keycloak = await startKeycloak({ host: shape === 'cluster' ? '127.0.0.1' : 'localhost' });
    [browser, callbacks, publisher] = await Promise.all([
      RealBrowser.start(),
      Callbacks.listen(),
      ClientPublisher.listen(dir),
    ]);
    const provider = {
      kind: 'saml',
      id: COMPANY_ID,
      name: COMPANY_NAME,
      ...(await keycloakSaml(keycloak.issuer)),
      emailAttribute: 'email',
      groupsAttribute: 'groups',
      emailDomains: ['corp.example'],
    };
    const documents = { privateDocumentHosts: [new URL(publisher.url).host], documentCaFile: publisher.caFile };
    const configFile = join(dir, 'standalone.yaml');
    const config = { signIn: { providers: [provider], local: true }, authorization: documents };
    writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
    const identity = {
      WARDER_SIGN_IN__PROVIDERS: JSON.stringify([provider]),
      WARDER_SIGN_IN__LOCAL: 'true',
      WARDER_AUTHORIZATION__PRIVATE_DOCUMENT_HOSTS: documents.privateDocumentHosts.join(),
      WARDER_AUTHORIZATION__DOCUMENT_CA_FILE: documents.documentCaFile,
    };
    scene = await FixtureScene.inShape(shape, { environment: { identity }, configFile });
    // Beside the client that speaks OpenID Connect, in the one realm of the company.
    await keycloak.admin.createClient(keycloakSamlClient(origin(), COMPANY_ID));
    const dan = await scene.admin.member({ name: 'Dan', email: DAN.email, groups: ['knowers'] });
    const link = `/identity/principals/${dan.principalId}/password-link`;
    const { url } = await scene.admin.ask<{ url: string }>('POST', link);
    const first = await LocalPerson.at(browser, DAN, { warder: `${origin()}/`, callback: callbacks.url });
    await first.choosePassword(url);
    await first.close();
  }, START_TIMEOUT_MS + KEYCLOAK_MS);
  afterAll(async () => {
    await scene?.stop();
    await browser?.close();
    await keycloak?.stop();
    callbacks?.close();
    publisher?.close();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it.each(ATTEMPTS)(
    'connects by $way with $name, known by its $by: one question of ours, one sign-in, a call; a second connect asks nothing',
    async ({ who, email, page, kind, by }) => {
      const person = await at(who);
      const memory = newMemory();
      if (by === 'document') memory.set(SETTINGS.document, publisher.url);
      const homeDir = mkdtempSync(join(dir, 'home-'));
      for (const round of ['first', 'second']) {
        const client = await kind.open(endpoint(), person.allow, memory, homeDir);
        try {
          const nonce = newNonce();
          await client.call('known__echo', { text: round, nonce });
          expect(scene.fixture.executed().filter((entry) => entry.nonce === nonce)).toHaveLength(1);
        } finally {
          await client.close();
        }
        expect(person.shown).toEqual([expect.stringMatching(QUESTION), page]);
      }
      await eventually('its record', async () => {
        const records = await scene.admin.records({ human: email, kind: 'call' });
        return records.some(({ agent, verified }) => agent?.kind === 'oauth' && verified?.by === by);
      });
      await person.close();
    },
    180_000,
  );

  it('cuts off on every node whom Keycloak signs out by SAML; nobody of the local directory notices', async () => {
    const [ben, dan] = [await signedIn('ben'), await signedIn('dan')];
    const load = new CallLoad(scene.agents(dan.token), 20);
    const nonces: string[] = [];
    const running = scene.agents(ben.token).flatMap((agent) =>
      [false, true].map((wantsStream) => {
        const nonce = newNonce();
        nonces.push(nonce);
        return agent.call('slow', { ms: 100_000, nonce }, wantsStream);
      }),
    );
    await eventually('the upstream has them all', async () =>
      nonces.every((nonce) => scene.fixture.executed().some((entry) => entry.nonce === nonce)),
    );
    await keycloak.admin.logOut('ben');
    for (const { text } of await Promise.all(running)) expect(text).toContain('WDR_CALL_REVOKED');
    for (const agent of scene.agents(ben.token)) {
      await eventually(`${agent.node} refuses it`, async () => (await agent.call('echo')).status === 401, PATIENCE_MS);
    }
    await load.stop();
    expect([load.refusals, load.served > 0]).toEqual([new Map(), true]);
    ben.person.shown.length = 0;
    ben.memory.delete('callback');
    const back = await signingInV1.open(endpoint(), ben.person.allow, ben.memory, dir);
    await back.call('known__echo', { text: 'back', nonce: newNonce() });
    await back.close();
    expect(ben.person.shown).toEqual([expect.stringMatching(QUESTION), 'Sign in to The company']);
  }, 180_000);

  it('tells it in the audit trail: who came by which way, and that Keycloak signed one out', async () => {
    const told = async (act: string) => {
      const kinds = [{ kind: 'admin' }, { kind: 'authentication' }];
      const records = (await Promise.all(kinds.map((kind) => scene.admin.records(kind)))).flat();
      return records.filter(({ method }) => method === `admin/identity/${act}`).map((record) => JSON.stringify(record));
    };
    const by = async (id: string) =>
      (await told('sign-in.complete')).filter((text) => text.includes(`"provider":"${id}"`));
    // Each client once by each way; ben twice, for he was signed out, and dan once more.
    await eventually('all sign-ins by SAML', async () => (await by(COMPANY_ID)).length === CLIENTS.length + 2);
    expect(await by('local')).toHaveLength(CLIENTS.length + 1);
    const ends = await told('principal.sign-out');
    expect([ends.length, ends[0]?.includes('"why":"single logout"')]).toEqual([1, true]);
    await scene.ledgerHolds();
  }, 60_000);
});
