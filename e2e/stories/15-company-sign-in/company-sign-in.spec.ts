import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditRecord } from '@warder/contracts';
import { KEYCLOAK_CLIENT, RealBrowser, type RunningKeycloak, startKeycloak } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallLoad } from '../../call-load.js';
import { SETTINGS, signingInRemote, signingInV1, signingInV2 } from '../../clients/signing-in-clients.js';
import { COMPANY_ID, COMPANY_NAME, CompanyPerson } from '../../company-people.js';
import { Callbacks, ClientPublisher } from '../../company-places.js';
import { FixtureScene, VIRTUAL_SERVER } from '../../fixture-scene.js';
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
const KEYCLOAK_PAGE = 'Sign in to The company';
const QUESTION = /^Let “.+” use “.+” for you\?$/;

describe.each(shapesOf('15-company-sign-in'))('people of a company that has Keycloak, in %s', (shape) => {
  let dir: string;
  let keycloak: RunningKeycloak;
  let browser: RealBrowser;
  let callbacks: Callbacks;
  let publisher: ClientPublisher;
  let scene: FixtureScene;

  const origin = () => new URL(scene.warder.endpoint).origin;
  const endpoint = () => new URL(`/mcp/${VIRTUAL_SERVER}`, scene.warder.endpoint).href;
  const at = (who: 'ana' | 'ben' | 'cleo') =>
    CompanyPerson.at(browser, who, {
      warder: `${origin()}/`,
      keycloak: `${keycloak.issuer}/`,
      callback: callbacks.url,
    });
  const newMemory = () => new Map<string, unknown>([[SETTINGS.callback, callbacks.url]]);
  /** A client of a person's that signed in. @returns its tokens, and the person's browser */
  const signedIn = async (who: 'ana' | 'ben' | 'cleo') => {
    const person = await at(who);
    const memory = newMemory();
    const client = await signingInV1.open(endpoint(), person.allow, memory, dir);
    await client.call('known__echo', { text: who, nonce: newNonce() });
    await client.close();
    const { access_token: token, refresh_token: refreshToken } = memory.get('tokens') as Record<string, string>;
    const { client_id: clientId } = memory.get('client') as { client_id: string };
    return { person, memory, token: token!, refreshToken: refreshToken!, clientId };
  };
  const refresh = async ({ refreshToken, clientId }: Awaited<ReturnType<typeof signedIn>>) => {
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId };
    const answer = await fetch(`${origin()}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: answer.status, ...((await answer.json()) as { error?: string }) };
  };
  const refusedEverywhere = async (token: string): Promise<void> => {
    for (const agent of scene.agents(token)) {
      await eventually(`${agent.node} refuses it`, async () => (await agent.call('echo')).status === 401, PATIENCE_MS);
    }
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-company-'));
    // For a browser another site than Warder's door, as a company's provider is.
    keycloak = await startKeycloak({ host: shape === 'cluster' ? '127.0.0.1' : 'localhost' });
    [browser, callbacks, publisher] = await Promise.all([
      RealBrowser.start(),
      Callbacks.listen(),
      ClientPublisher.listen(dir),
    ]);
    const provider = {
      kind: 'oidc',
      id: COMPANY_ID,
      name: COMPANY_NAME,
      issuer: keycloak.issuer,
      clientId: KEYCLOAK_CLIENT.id,
      clientSecret: KEYCLOAK_CLIENT.secret,
      groupsClaim: 'groups',
      livenessMinutes: 5,
      // With it Keycloak would end the session, and say nothing at a sign-out.
      offlineAccess: false,
      allowPrivateAddress: true,
    };
    const documents = { privateDocumentHosts: [new URL(publisher.url).host], documentCaFile: publisher.caFile };
    const configFile = join(dir, 'standalone.yaml');
    const config = { signIn: { providers: [provider] }, authorization: documents };
    writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
    const identity = {
      WARDER_SIGN_IN__PROVIDERS: JSON.stringify([provider]),
      WARDER_AUTHORIZATION__PRIVATE_DOCUMENT_HOSTS: documents.privateDocumentHosts.join(),
      WARDER_AUTHORIZATION__DOCUMENT_CA_FILE: documents.documentCaFile,
    };
    scene = await FixtureScene.inShape(shape, { environment: { identity }, configFile });
    await keycloak.admin.placeClient(origin(), COMPANY_ID);
  }, START_TIMEOUT_MS + KEYCLOAK_MS);
  afterAll(async () => {
    await scene?.stop();
    await browser?.close();
    await keycloak?.stop();
    callbacks?.close();
    publisher?.close();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it.each(CLIENTS)(
    'connects with $name, known by its $by: one question of ours, sign-in at Keycloak, a call; a second connect asks nothing',
    async (kind) => {
      const ana = await at('ana');
      const memory = newMemory();
      if (kind.by === 'document') memory.set(SETTINGS.document, publisher.url);
      const homeDir = mkdtempSync(join(dir, 'home-'));
      for (const round of ['first', 'second']) {
        const client = await kind.open(endpoint(), ana.allow, memory, homeDir);
        try {
          const nonce = newNonce();
          await client.call('known__echo', { text: round, nonce });
          expect(scene.fixture.executed().filter((entry) => entry.nonce === nonce)).toHaveLength(1);
        } finally {
          await client.close();
        }
        expect(ana.shown).toEqual([expect.stringMatching(QUESTION), KEYCLOAK_PAGE]);
      }
      await eventually('its record', async () => {
        const records = await scene.admin.records({ human: 'ana@corp.example', kind: 'call' });
        return records.some(({ agent, verified }) => agent?.kind === 'oauth' && verified?.by === kind.by);
      });
      await ana.close();
    },
    180_000,
  );

  it('cuts off on every node whom Keycloak signs out: calls, streams, tokens, session; nobody else notices', async () => {
    const [ana, ben] = [await signedIn('ana'), await signedIn('ben')];
    const load = new CallLoad(scene.agents(ben.token), 20);
    const nonces: string[] = [];
    const running = scene.agents(ana.token).flatMap((agent) =>
      [false, true].map((wantsStream) => {
        const nonce = newNonce();
        nonces.push(nonce);
        return agent.call('slow', { ms: 100_000, nonce }, wantsStream);
      }),
    );
    await eventually('the upstream has them all', async () =>
      nonces.every((nonce) => scene.fixture.executed().some((entry) => entry.nonce === nonce)),
    );
    const askedMs = performance.now();
    const told = keycloak.admin.logOut('ana').then(() => performance.now());
    for (const { text } of await Promise.all(running)) expect(text).toContain('WDR_CALL_REVOKED');
    const cutMs = performance.now();
    await refusedEverywhere(ana.token);
    const refusedMs = performance.now();
    const answeredMs = await told;
    process.stdout.write(
      `${shape}: ${running.length} running calls were cut ${Math.round(cutMs - askedMs)} ms and every node refused ` +
        `${Math.round(refusedMs - askedMs)} ms after Keycloak was told to sign ana out, which took it ` +
        `${Math.round(answeredMs - askedMs)} ms\n`,
    );
    expect(await refresh(ana)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect((await refresh(ben)).status).toBe(200);
    await load.stop();
    expect([load.refusals, load.served > 0]).toEqual([new Map(), true]);
    // Neither we nor Keycloak have a session of the browser's any more: both ask again.
    ana.person.shown.length = 0;
    ana.memory.delete('callback');
    const back = await signingInV1.open(endpoint(), ana.person.allow, ana.memory, dir);
    await back.call('known__echo', { text: 'back', nonce: newNonce() });
    await back.close();
    expect(ana.person.shown).toEqual([expect.stringMatching(QUESTION), KEYCLOAK_PAGE]);
  }, 180_000);

  it('hears nothing from Keycloak of a user who is switched off, until they are signed out there: then all ends, personal tokens too', async () => {
    const cleo = await signedIn('cleo');
    const { principals } = await scene.admin.ask<{ principals: Named[] }>('GET', '/identity/principals');
    const { id } = principals.find(({ email }) => email === 'cleo@corp.example')!;
    const { token: personal } = await scene.admin.token(id, 'script');
    for (const agent of scene.agents(personal)) await eventually('the token is known', () => agent.isServed());
    await keycloak.admin.setEnabled('cleo', false);
    expect(await keycloak.admin.sessionCount('cleo')).toBeGreaterThan(0);
    for (const agent of scene.agents(cleo.token)) expect(await agent.isServed()).toBe(true);
    await keycloak.admin.logOut('cleo');
    await refusedEverywhere(cleo.token);
    // Warder asks Keycloak whether somebody who was signed out is still there, and is told that the user is disabled.
    await refusedEverywhere(personal);
    cleo.memory.delete('callback');
    const back = signingInV1.open(endpoint(), cleo.person.allow, cleo.memory, dir);
    await expect(back).rejects.toThrow('Account is disabled');
  }, 120_000);

  it('tells it in the audit trail, in order: who came, what they allowed, that Keycloak signed them out, who came back', async () => {
    const email = 'ana@corp.example';
    const trail = async () => {
      const kinds = [{ kind: 'admin' }, { kind: 'authentication' }];
      const records = (await Promise.all(kinds.map((kind) => scene.admin.records(kind)))).flat();
      const ana = records.find(({ personal }) => personal?.principal?.email === email)?.principal?.id;
      return (
        records
          .map((record) => ({ record, given: givenTo(record) }))
          .filter(({ record, given }) => ana !== undefined && (record.principal?.id === ana || given['id'] === ana))
          .filter(({ record }) => TOLD.includes(record.method))
          // Keycloak is asked after whoever was signed out: where its answer comes before she is back, she is out once more.
          .filter(({ given }) => given['why'] !== 'refresh token refused')
          // All of them stand in identity's own log; two of one millisecond have their order there.
          .toSorted((one, other) => one.record.sequence - other.record.sequence)
      );
    };
    const came = ['sign-in.complete', 'consent.grant'];
    // One message for each session at Keycloak: the three clients' browsers, and the one that was cut off.
    const signedOut = ['principal.sign-out', 'principal.sign-out', 'principal.sign-out', 'principal.sign-out'];
    await eventually('the last records', async () => (await trail()).length >= 15);
    const told = await trail();
    expect(told.map(({ record }) => record.method.replace('admin/identity/', ''))).toEqual([
      'principal.create',
      ...came,
      ...came,
      ...came,
      ...came,
      ...signedOut,
      ...came,
    ]);
    const [first] = told.filter(({ record }) => record.method.endsWith('principal.sign-out'));
    expect(first!.given).toMatchObject({ why: 'back-channel logout', provider: COMPANY_ID });
    expect(first!.given['clients']).toHaveLength(4);
    const calls = await scene.admin.records({ human: email, kind: 'call' });
    expect(calls.filter(({ refusal }) => refusal?.code === 'WDR_CALL_REVOKED')).toHaveLength(2 * scene.nodes.length);
    await scene.ledgerHolds();
  }, 60_000);
});

interface Named {
  readonly id: string;
  readonly email: string | null;
}

const TOLD = ['principal.create', 'sign-in.complete', 'consent.grant', 'principal.sign-out'].map(
  (act) => `admin/identity/${act}`,
);

/** What an act was given, as its record keeps it. */
function givenTo({ personal }: AuditRecord): Record<string, unknown> {
  const given = personal?.arguments;
  return given !== null && given !== undefined && 'value' in given ? (given.value as Record<string, unknown>) : {};
}
