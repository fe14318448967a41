import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionsScene, SceneBrowser } from '../connections/connections.scene.js';
import { FakeProvider } from '../connections/fake-provider.scene.js';

let scene: ConnectionsScene;
let fake: FakeProvider;

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  fake = await FakeProvider.start();
  await scene.start(fake);
});
afterEach(async () => {
  await scene.stop();
  await fake.stop();
});

const HEADERS = { 'DD-API-KEY': '{api_key}', 'DD-APPLICATION-KEY': 'v1 {application_key}' };
const FORM = { entry: 'static-header', title: 'Metrics', headers: HEADERS };
const FIELDS = { 'field.api_key': 'canary-api-key', 'field.application_key': 'canary-application-key' };

async function setUp(form: object = FORM, kind = 'static_header_user'): Promise<void> {
  expect((await scene.ask('PUT', '/providers/metrics', form)).status).toBe(200);
  expect((await scene.ask('PUT', '/upstreams/tickets', { kind, provider: 'metrics' })).status).toBe(200);
}

describe('what a person keeps here', () => {
  it('is filled in on the page, is shown to nobody again, and is gone when its owner says so', async () => {
    await setUp();
    const browser = new SceneBrowser(scene, 'usr_ana');
    const page = await browser.open('/connections/connect/tickets');
    for (const shown of ['Metrics', 'api key', 'application key', 'type="password"'])
      expect(page.text).toContain(shown);
    const asked = { provider: 'metrics', kind: 'static_header_user', ...FIELDS };
    expect((await browser.send(page, '/connections/keep', asked)).location).toBe('/connections');
    const after = await browser.open();
    expect(after.text).toContain('<dd>yes</dd>');
    const { body } = await scene.ask('GET', '/connections');
    const [view] = body.connections;
    expect(view).toMatchObject({ kind: 'static_header_user', principalId: 'usr_ana', status: 'active' });
    expect(scene.states.get(view!.id)).toMatchObject({ kind: 'static_header_user', principalId: 'usr_ana' });
    const row = await scene.row(view!.id);
    expect(row['refresh_at_ms']).toBeNull();
    await browser.send(after, `/connections/${view!.id}/disconnect`);
    await vi.waitFor(() => expect(scene.actions()).toContain('admin/credentials/connection.end-tokens'));
    expect((await scene.row(view!.id))['access_token']).toBeNull();
    expect(JSON.stringify([page, after, body, row, scene.carried])).not.toContain('canary-a');
  });

  it('goes with its owner', async () => {
    await setUp();
    const browser = new SceneBrowser(scene, 'usr_ana');
    const asked = { provider: 'metrics', kind: 'static_header_user', ...FIELDS };
    await browser.send(await browser.open(), '/connections/keep', asked);
    const [view] = (await scene.ask('GET', '/connections')).body.connections;
    await scene.tellPrincipal('ana', { status: 'removed' });
    await vi.waitFor(() => expect(scene.states.get(view!.id)).toMatchObject({ status: 'revoked' }));
    expect((await scene.row(view!.id))['access_token']).toBeNull();
  });

  it.each([
    [{ 'field.api_key': '' }, 'Fields: api_key is empty.'],
    [{ 'field.api_key': 'two\nlines' }, 'Fields: api_key holds what no header takes.'],
    [{ 'field.api_key': 'x'.repeat(8_193) }, 'Fields: the header would be longer than 8192 bytes.'],
    [{ kind: 'static_header_shared' }, 'There is nothing to connect here.'],
    [{ provider: 'another' }, 'There is nothing to connect here.'],
  ])('is not kept as %j', async (change, told) => {
    await setUp();
    const browser = new SceneBrowser(scene, 'usr_ana');
    const asked = { provider: 'metrics', kind: 'static_header_user', ...FIELDS, ...change };
    expect((await browser.send(await browser.open(), '/connections/keep', asked)).text).toContain(told);
    expect((await scene.ask('GET', '/connections')).body.connections).toEqual([]);
  });

  it('is no form of another page', async () => {
    await setUp();
    const browser = new SceneBrowser(scene, 'usr_ana');
    await browser.open();
    const asked = { token: 'foreign', provider: 'metrics', kind: 'static_header_user', ...FIELDS };
    expect((await browser.go('/connections/keep', asked)).status).toBe(403);
  });
});

describe('what everybody shares', () => {
  const fields = { username: 'robot', password: 'canary-pässword' };

  it('is kept by administrators at their door, whoever looks', async () => {
    await setUp({ entry: 'basic', title: 'Wiki' }, 'basic_shared');
    const body = { kind: 'basic_shared', provider: 'metrics', fields };
    expect((await scene.ask('POST', '/connections', body, 'ana')).status).toBe(403);
    const kept = await scene.ask('POST', '/connections', body);
    expect(kept).toMatchObject({
      status: 201,
      body: { kind: 'basic_shared', principalId: null, accountName: 'robot' },
    });
    const page = await new SceneBrowser(scene, 'usr_ana').open();
    expect(page.text).toContain('An administrator sees to it.');
    expect(page.text).not.toContain('type="password"');
    expect(JSON.stringify([kept, page, scene.carried])).not.toContain('canary-p');
  });

  it.each([
    [{ fields: { username: 'a:b', password: 'x' } }, 'colon'],
    [{ fields: { username: 'robot' } }, 'password is empty'],
    [{ fields: { ...fields, pin: '1' } }, 'there is no field pin'],
    [{ kind: 'basic_user' }, 'kind'],
    [{ kind: 'static_header_shared' }, 'no connections of this kind'],
  ])('is not kept with %j', async (change, told) => {
    await setUp({ entry: 'basic', title: 'Wiki' }, 'basic_shared');
    const asked = { kind: 'basic_shared', provider: 'metrics', fields, ...change };
    const { status, body } = await scene.ask('POST', '/connections', asked);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(told)]);
  });
});

describe('a provider without OAuth', () => {
  it.each([
    { ...FORM, headers: {} },
    { ...FORM, headers: { host: '{key}' } },
    { ...FORM, headers: { 'x-key': 'no field' } },
    { ...FORM, headers: { 'x-key': '{a}{b}{c}{d}{e}{f}' } },
    { ...FORM, clientId: 'x' },
    { entry: 'basic', title: '' },
  ])('is not set up as %j', async (form) => {
    expect(await scene.ask('PUT', '/providers/metrics', form)).toMatchObject({
      status: 400,
      body: { error: { code: 'WDR_BODY_INVALID' } },
    });
  });

  it('stays what it is while something is kept for it, and is not what another kind takes', async () => {
    await setUp({ entry: 'basic', title: 'Wiki' }, 'basic_shared');
    const fields = { username: 'robot', password: 'canary' };
    await scene.ask('POST', '/connections', { kind: 'basic_shared', provider: 'metrics', fields });
    const other = await scene.ask('PUT', '/providers/metrics', FORM);
    expect(other).toMatchObject({ status: 409, body: { error: { code: 'WDR_PROVIDER_IN_USE' } } });
    expect((await scene.ask('PUT', '/providers/metrics', { entry: 'basic', title: 'Our wiki' })).status).toBe(200);
    const upstream = await scene.ask('PUT', '/upstreams/tickets', { kind: 'oauth_user', provider: 'metrics' });
    expect(upstream).toMatchObject({ status: 400, body: { error: { code: 'WDR_BODY_INVALID' } } });
    expect((await scene.ask('POST', '/connections', { kind: 'client_credentials', provider: 'metrics' })).status).toBe(
      400,
    );
  });
});
