import { type PolicyDocument, VirtualServer } from '@warder/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { type Era, EraAgent, type SeenAnswer } from '../../era-agent.js';
import { PAIR, PairScene } from '../../pair-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';

const SERVER = 'lab';
const ELSEWHERE = 'annex';
/** Agents come from this machine. */
const HERE = ['127.0.0.0/8', '::1'];
const GRACE_SECONDS = 2;

describe.each(shapesOf('12-tokens'))('a token, in %s', (shape) => {
  let scene: PairScene;
  let ana: Member;
  beforeAll(async () => {
    scene = await PairScene.start(shape, lab);
    ana = await scene.admin.member({ name: 'Ana', email: 'ana@example.com', groups: ['analysts'] });
    await scene.listedEverywhere(SERVER, ana);
    await scene.listedEverywhere(ELSEWHERE, ana);
  }, START_TIMEOUT_MS);
  afterAll(async () => scene?.stop(), 60_000);

  const places = () => [...new Set([scene.door, ...scene.nodes])];
  const asked = async (server: string, token: string, era: Era, place: string) =>
    (await scene.agent(server, { token }, era, place)).list();
  /** What a place answers to the first message of a client: a legacy one gets no further where it is refused. */
  const greeted = (server: string, token: string, era: Era, place: string): Promise<SeenAnswer> =>
    EraAgent.greet({ url: `http://${place}/mcp/${server}`, host: scene.door, token, era });
  const known = (token: string) =>
    Promise.all(
      places().map((place) =>
        eventually(`${place} knows it`, async () => (await asked(SERVER, token, 'modern', place)).status === 200),
      ),
    );

  it('that is read-only lists and calls what says that it only reads, and nothing else', async () => {
    const reader = await scene.admin.token(ana.principalId, 'reader', { readOnly: true });
    await known(reader.token);
    for (const place of places()) {
      for (const era of PAIR) {
        const agent = await scene.agent(SERVER, reader, era, place);
        expect(namesIn(await agent.list())).toEqual(['report']);
        expect((await agent.call('report', { nonce: newNonce(), text: 'read' })).text).toContain('read');
        const [outside, unknown] = [await agent.call('deploy', { nonce: 'never' }), await agent.call('nobody', {})];
        expect({ ...outside, text: outside.text.replace('deploy', 'nobody') }).toEqual(unknown);
      }
    }
    expect(scene.executed('modern', 'never')).toBe(0);
    const question = { principal: ana.principalId, virtualServer: SERVER, tool: 'deploy', tokenId: reader.tokenId };
    expect(await scene.admin.ask('POST', '/policy/explain', question)).toMatchObject({
      decision: 'forbid',
      rule: 'token scope: read-only',
    });
    await eventually('its records', async () => {
      const refused = await scene.admin.records({ agent: 'reader', code: 'WDR_TOOL_UNKNOWN' });
      return refused.filter(({ rule }) => rule === 'token scope: read-only').length === places().length * PAIR.length;
    });
  });

  it('that names a virtual server is told of another what everybody is told of one that is not there', async () => {
    const scoped = await scene.admin.token(ana.principalId, 'lab only', { virtualServers: [SERVER] });
    await known(scoped.token);
    for (const place of places()) {
      for (const era of PAIR) {
        const nowhere = await greeted('nowhere', scoped.token, era, place);
        expect(await greeted(ELSEWHERE, scoped.token, era, place)).toEqual(nowhere);
        expect(nowhere.status).toBe(404);
        expect((await greeted(ELSEWHERE, ana.token, era, place)).status).toBe(200);
      }
    }
  });

  it('that is bound to addresses is served from these, and elsewhere is one that does not exist', async () => {
    const near = await scene.admin.token(ana.principalId, 'near', { addresses: HERE });
    // Every node knows it, by the answer: one that does not would refuse it without a word of whose it is.
    const far = await scene.admin.ask<{ id: string; token: string }>('POST', '/identity/tokens?wait=20000', {
      principalId: ana.principalId,
      name: 'far',
      scopes: { addresses: ['192.0.2.0/24', '2001:db8::/32'] },
    });
    await known(near.token);
    for (const place of places()) {
      for (const era of PAIR) {
        const stranger = await greeted(SERVER, `wdr_${'A'.repeat(48)}`, era, place);
        expect(await greeted(SERVER, far.token, era, place)).toEqual(stranger);
        expect(stranger.status).toBe(401);
      }
    }
    await eventually('the record of whose token it is', async () => {
      const refused = await scene.admin.records({ kind: 'authentication', code: 'WDR_TOKEN_UNKNOWN' });
      return refused.some(({ agent, principal, personal }) => {
        const isNamed = agent?.id === far.id && principal?.id === ana.principalId;
        return isNamed && personal?.refusalDetail === 'address-outside';
      });
    });
  });

  it('that is rotated works by both secrets for the time of grace, then by the new one alone', async () => {
    const old = await scene.admin.token(ana.principalId, 'nightly');
    await known(old.token);
    const rotated = await scene.admin.ask<{ id: string; token: string; appliedEverywhere: boolean }>(
      'POST',
      `/identity/tokens/${old.tokenId}/rotate?wait=20000`,
      { graceSeconds: 3_600 },
    );
    expect([rotated.id, rotated.appliedEverywhere]).toEqual([old.tokenId, true]);
    for (const place of places()) {
      for (const era of PAIR) {
        expect((await asked(SERVER, old.token, era, place)).status).toBe(200);
        expect((await asked(SERVER, rotated.token, era, place)).status).toBe(200);
      }
    }
    const again = await scene.admin.ask<{ token: string }>(
      'POST',
      `/identity/tokens/${old.tokenId}/rotate?wait=20000`,
      { graceSeconds: GRACE_SECONDS },
    );
    for (const place of places()) {
      expect((await greeted(SERVER, old.token, 'modern', place)).status).toBe(401);
      await eventually(
        `the grace ends at ${place}`,
        async () => (await greeted(SERVER, rotated.token, 'modern', place)).status === 401,
      );
      expect((await asked(SERVER, again.token, 'modern', place)).status).toBe(200);
    }
    const { token: last } = await scene.admin.ask<{ token: string }>(
      'POST',
      `/identity/tokens/${old.tokenId}/rotate?wait=20000`,
      {},
    );
    await scene.admin.ask('DELETE', `/identity/tokens/${old.tokenId}?wait=20000`);
    for (const place of places()) {
      for (const secret of [again.token, last])
        expect((await greeted(SERVER, secret, 'modern', place)).status).toBe(401);
    }
  });

  it('is listed with when it was last used', async () => {
    const path = `/identity/tokens?principalId=${ana.principalId}`;
    const lastUse = async () => {
      const { tokens } = await scene.admin.ask<{ tokens: { id: string; lastUsedAtMs: number | null }[] }>('GET', path);
      return tokens.find(({ id }) => id === ana.tokenId)?.lastUsedAtMs ?? null;
    };
    await eventually('a node tells of it', async () => (await lastUse()) !== null, 60_000);
    expect(await lastUse()).toBeLessThanOrEqual(Date.now());
  }, 70_000);

  it('leaves one record of each call that an upstream executed', async () => {
    await expect(scene.ledgersHold()).resolves.toBeUndefined();
  });
});

function namesIn({ text }: SeenAnswer): string[] {
  return (JSON.parse(text) as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name);
}

function lab(document: PolicyDocument): PolicyDocument {
  const tools = [
    { upstream: 'modern', tool: 'echo', as: 'report' },
    { upstream: 'modern', tool: 'add', as: 'deploy' },
    { upstream: 'modern', tool: 'echo-arguments', as: 'export' },
  ];
  return {
    ...document,
    virtualServers: {
      ...document.virtualServers,
      [SERVER]: VirtualServer.parse({ tools }),
      [ELSEWHERE]: VirtualServer.parse({ tools: [{ upstream: 'legacy', tool: 'echo', as: 'lookup' }] }),
    },
    grants: [
      ...document.grants,
      { name: 'analysts-work', effect: 'permit', to: { group: 'analysts' }, tools: ['modern/*', 'legacy/*'] },
    ],
  };
}
