import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditRecord, GuardrailActions, PolicyDocument } from '@warder/contracts';
import { POISON } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminDoor, type Member } from '../../admin-door.js';
import { type Era, EraAgent } from '../../era-agent.js';
import { FixtureScene } from '../../fixture-scene.js';
import { type Shape, shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';
import { HostileClient } from '../8-bad-input/hostile-client.js';
import { Canaries } from './canaries.js';
import { type AtRest, filesAtRest, kafkaBatchesAtRest, placesOf, rowsAtRest } from '../../places-at-rest.js';
import { CLAIMING_NONCE, REFUSED } from './refused-messages.js';

const ERAS = ['modern', 'legacy'] as const;
const KEY = 'secret.aws-access-key';
const CARD = 'pii.card';
const all = (action: GuardrailActions['secret']): GuardrailActions => ({
  secret: action,
  pii: action,
  injection: action,
  hidden: action,
});
// What is logged at all must hold no secret.
const LOGGING = { WARDER_LOG__LEVEL: 'debug' };
const INGRESS = { ...LOGGING, WARDER_LIMITS__REFUSAL_WINDOW_MS: '2000' };
const ENVIRONMENT = {
  'ingress-1': INGRESS,
  'ingress-2': INGRESS,
  balancer: LOGGING,
  identity: LOGGING,
  policy: LOGGING,
  credentials: LOGGING,
  guardrails: LOGGING,
  audit: LOGGING,
};
/** Virtual servers beside `known`, which redacts what is secret and flags what is poisoned, as every new one does. */
const ACTIONS = { strict: all('block'), blind: all('off'), flagging: all('flag') };

describe.each(shapesOf('3-redaction'))('redaction, %s', (shape: Shape) => {
  let dir: string;
  const canaries = new Canaries();
  const harmless = newNonce().replace('n', 'harmless-');
  let scene: FixtureScene;
  let member: Member;
  let hostile: HostileClient;

  const agent = (era: Era, virtualServer = 'known') => {
    const url = new URL(`/mcp/${virtualServer}`, scene.warder.endpoint);
    return EraAgent.open({ url: url.href, host: url.host, token: member.token, era });
  };
  const recordOf = async (filters: Record<string, string>): Promise<AuditRecord> => {
    let found: AuditRecord[] = [];
    await eventually(`the record of ${JSON.stringify(filters)}`, async () => {
      found = await scene.admin.records(filters);
      return found.length > 0;
    });
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  const logsOf = () =>
    shape === 'cluster'
      ? scene.nodes.map((node) => () => scene.warder.service(node).logs())
      : [() => readFileSync(join(dir, 'warder/warder.log'), 'utf8')];
  /** Types and places of what a record says was found. */
  const foundIn = ({ findings }: AuditRecord) =>
    findings.map(({ detector, action, phase, place }) => `${action} ${detector} ${phase} ${place}`).sort();

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-redaction-')));
    const configFile = join(dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ log: { level: 'debug' } }));
    scene = await FixtureScene.inShape(shape, { dataDir: dir, environment: ENVIRONMENT, configFile });
    member = await scene.member();
    canaries.watch(member.token);
    hostile = new HostileClient({ endpoint: scene.warder.endpoint.replace(/[^/]+$/, 'known'), token: member.token });
    await scene.admin.changePolicy((document) => withServers(document, harmless));
    for (const name of ['known', ...Object.keys(ACTIONS)]) {
      await eventually(`the tools of ${name}`, async () =>
        (await (await agent('modern', name)).list()).text.includes('known__echo'),
      );
    }
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    hostile?.close();
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  describe.each(ERAS)('on the way to an agent of the %s era', (era) => {
    type Row = [where: string, tool: string, args: Record<string, unknown>, places: [key: string, card: string]];
    const text = 'response /content/0/text';
    const rows: Row[] = [
      ['one block', 'secret', { where: 'text' }, [text, text]],
      ['blocks that share them', 'secret', { where: 'split' }, [text, 'response /content/1/text']],
      [
        'structuredContent',
        'secret',
        { where: 'structured' },
        ['response /structuredContent/deep/0/note', 'response /structuredContent/deep/0/note'],
      ],
      ['a progress message', 'secret', { where: 'progress' }, ['interim /message', 'interim /message']],
      ['an error message', 'secret', { where: 'error' }, [text, text]],
      ['a duplicate key', 'dup-keys', {}, [text, text]],
      ['an event cut by chunks', 'sse-split', {}, [text, text]],
    ];
    it.each(rows)('a key and a card are redacted in %s', async (_where, tool, args, places) => {
      scene.fixture.set({ leak: canaries.leak() });
      const nonce = newNonce();
      const { status, text: seen } = await (await agent(era)).call(`known__${tool}`, { nonce, ...args }, 'p');
      expect(status).toBe(200);
      expect(canaries.isIn(seen)).toBe(false);
      for (const kind of [KEY, CARD]) expect(seen).toContain(`[redacted:${kind}]`);
      const record = await recordOf({ upstream: 'known', text: nonce });
      expect(canaries.isIn(JSON.stringify(record))).toBe(false);
      expect(foundIn(record)).toEqual(
        expect.arrayContaining([`redact ${KEY} ${places[0]}`, `redact ${CARD} ${places[1]}`]),
      );
    });

    it('an error of the protocol is redacted, its data too', async () => {
      scene.fixture.set({ leak: canaries.leak() });
      const nonce = newNonce();
      const { text: seen } = await (await agent(era)).call('known__secret', { nonce, where: 'protocol-error' });
      expect(seen).toContain(`[redacted:${KEY}]`);
      expect(canaries.isIn(seen)).toBe(false);
      const record = await recordOf({ upstream: 'known', text: nonce });
      expect(foundIn(record)).toEqual(
        ['/data/note', '/message']
          .flatMap((place) => [`redact ${CARD} response ${place}`, `redact ${KEY} response ${place}`])
          .sort(),
      );
    });

    it.each(['gzip', 'no-json', 'status-500'])('an answer as %s is refused, whatever it holds', async (how) => {
      scene.fixture.set({ leak: canaries.leak() });
      const nonce = newNonce();
      const [tool, args] = how === 'gzip' ? ['gzip', {}] : ['secret', { where: how }];
      const { text: seen } = await (await agent(era)).call(`known__${tool}`, { nonce, ...args });
      expect(seen).toContain('WDR_UPSTREAM_FAILED');
      expect(canaries.isIn(seen)).toBe(false);
      const record = await recordOf({ upstream: 'known', text: nonce });
      expect(record).toMatchObject({
        outcome: 'unknown',
        refusal: { code: 'WDR_UPSTREAM_FAILED' },
        personal: { result: null },
      });
    });

    it('a poisoned answer is flagged where the virtual server says so', async () => {
      const nonce = newNonce();
      const { text: seen } = await (await agent(era)).call('known__poison', { nonce });
      expect(seen).toContain(JSON.stringify(POISON).slice(1, -1));
      const found = foundIn(await recordOf({ upstream: 'known', text: nonce }));
      expect(found.length).toBeGreaterThan(0);
      for (const each of found) expect(each).toMatch(/^flag injection\.[a-z-]+ response \/content\/0\/text$/);
    });

    it('a poisoned answer is blocked where the virtual server says so', async () => {
      const nonce = newNonce();
      const { status, text: seen } = await (await agent(era, 'strict')).call('known__poison', { nonce });
      expect([status, seen.includes('"isError":true'), seen.includes('WDR_GUARDRAIL_BLOCKED')]).toEqual([
        200,
        true,
        true,
      ]);
      expect(seen).not.toContain('evil.example');
      const record = await recordOf({ upstream: 'known', text: nonce });
      expect(record).toMatchObject({
        outcome: 'failure',
        refusal: { code: 'WDR_GUARDRAIL_BLOCKED' },
        personal: { result: null },
      });
      for (const each of foundIn(record))
        expect(each).toMatch(/^block injection\.[a-z-]+ response \/content\/0\/text$/);
    });

    it('what a virtual server lets through is in no record all the same', async () => {
      for (const name of ['blind', 'flagging']) {
        const { key, card } = canaries.leak();
        scene.fixture.set({ leak: { key, card } });
        const nonce = newNonce();
        const { text: seen } = await (await agent(era, name)).call('known__secret', { nonce, text: `${key} ${card}` });
        expect([seen.includes(key), seen.includes(card)]).toEqual([true, true]);
        expect(canaries.isIn(JSON.stringify(await recordOf({ upstream: 'known', text: nonce })))).toBe(false);
      }
    });
  });

  describe('on the way up', () => {
    it('a key and a card in arguments are redacted before they leave, one in the name of a member too', async () => {
      const { key, card } = canaries.leak();
      const nonce = newNonce();
      const args = { nonce, note: `key ${key}`, list: [{ card }], [key]: 1 };
      const { text: seen } = await (await agent('modern')).call('known__echo-arguments', args);
      expect(canaries.isIn(seen)).toBe(false);
      expect(seen).toContain(`key [redacted:${KEY}]`);
      const record = await recordOf({ upstream: 'known', text: nonce });
      expect(foundIn(record)).toEqual(
        expect.arrayContaining([`redact ${CARD} request /list/0/card`, `redact ${KEY} request /note`]),
      );
    });

    it('a call whose arguments are blocked reaches nobody', async () => {
      const { key, card } = canaries.leak();
      const nonce = newNonce();
      const { text: seen } = await (
        await agent('modern', 'strict')
      ).call('known__echo', { nonce, text: `${key} ${card}` });
      expect(seen).toContain('WDR_GUARDRAIL_BLOCKED');
      expect(scene.fixture.executed().some((entry) => entry.nonce === nonce)).toBe(false);
      const record = await recordOf({ upstream: 'known', text: nonce });
      expect(foundIn(record)).toEqual([`block ${CARD} request /text`, `block ${KEY} request /text`]);
    });

    it.each(REFUSED)('a secret may be written for %s, the answer is %s', async (_what, code, sentFor) => {
      const { key, card } = canaries.leak();
      const { text: seen } = await hostile.send(sentFor(key, card));
      expect(seen).toContain(code === 'none' ? '"result"' : '"error"');
    });

    it('each of them leaves its record', async () => {
      for (const code of new Set(REFUSED.map((row) => row[1]).filter((each) => each !== 'none'))) {
        await eventually(`a record of ${code}`, async () => (await scene.admin.records({ code })).length > 0);
      }
      for (const code of ['WDR_HOST_UNKNOWN', 'WDR_ORIGIN_FORBIDDEN']) {
        const [record] = await scene.admin.records({ code });
        expect(record?.personal?.refusalDetail).toContain(`[redacted:${KEY}]`);
      }
      const [claimed] = await scene.admin.records({ upstream: 'known', text: CLAIMING_NONCE });
      expect(claimed?.personal?.claimed).toEqual({ name: `[redacted:${KEY}]`, version: `[redacted:${CARD}]` });
    });

    it('an upstream that will not list its tools is heard of in the log, its words are not', async () => {
      scene.fixture.set({ leak: canaries.leak(), failsToList: true, addTool: 'later' });
      for (const log of logsOf()) {
        const isHeardOf = async () => /"upstream":"known"[^\n]*could not be listed/.test(log());
        await expect(eventually('it is heard of', isHeardOf)).resolves.toBeUndefined();
      }
    });

    it('administration leaves no trace of what it was asked with', async () => {
      const { key, card } = canaries.leak();
      expect(await scene.admin.records({ text: key })).toEqual([]);
      expect(await scene.admin.records({ text: card })).toEqual([]);
      const bad = { name: 'Somebody', password: key, cards: [card] };
      await expect(scene.admin.ask('POST', '/identity/principals', bad)).rejects.toThrow('400');
      await expect(scene.admin.ask('GET', `/identity/${key}`)).rejects.toThrow('404');
      const stranger = new AdminDoor({ adminUrl: scene.warder.adminUrl, adminToken: `wdr_${key}` });
      await expect(stranger.ask('GET', '/identity/principals')).rejects.toThrow('401');
    });
  });

  describe('at rest, after a kill', () => {
    let files: AtRest[];
    let batches: AtRest[];
    let rows: AtRest[];
    const filesOf = (place: RegExp) => files.filter((file) => place.test(file.place));
    const placesHeld = (text: string, resting: readonly AtRest[]) =>
      resting.filter(({ bytes }) => bytes.includes(text)).map(({ place }) => place);

    beforeAll(async () => {
      for (const each of scene.agents(member.token)) {
        const note = `${harmless}-${each.node}`;
        await each.call('echo', { text: note });
        await recordOf({ upstream: 'known', text: note });
      }
      // A drained node would take its journal away.
      await Promise.all(scene.nodes.map((node) => scene.warder.service(node).kill('SIGKILL')));
      await scene.stop();
      files = [...filesAtRest(dir)];
      batches = shape === 'cluster' ? [...kafkaBatchesAtRest(join(dir, 'volumes/kafka'))] : [];
      rows = await rowsAtRest(join(dir, shape === 'cluster' ? 'volumes/postgres' : 'warder/postgres'));
    }, 120_000);

    it('a harmless text is found in each node’s journal', () => {
      const segments = filesOf(/\.segment$/);
      for (const node of scene.nodes) expect(placesHeld(`${harmless}-${node}`, segments)).toHaveLength(1);
    });

    it.runIf(shape === 'cluster')('a harmless text is found in Kafka’s segments, within what they compress', () => {
      const segments = placesHeld(`${harmless}-ingress-1`, batches);
      expect(segments).toContainEqual(expect.stringMatching(/warder\.audit\.recorded\.v1-\d+\/\d{20}\.log$/));
      expect(placesHeld(`${harmless}-ingress-1`, filesOf(/\d{20}\.log$/))).toEqual([]);
    });

    it('a harmless text is found in the database', () => {
      for (const node of scene.nodes) expect(placesHeld(`${harmless}-${node}`, rows)).not.toEqual([]);
    });

    it('a harmless text is found in the log of each node', () => {
      const logs = filesOf(/(^|\/)(ingress-\d|warder)\.log$/);
      expect(placesHeld(harmless, logs)).toHaveLength(scene.nodes.length);
    });

    it('no part of a secret is found anywhere', () => {
      expect(placesOf(canaries.marks, [...files, ...batches, ...rows]).join('\n')).toBe('');
    });
  });
});

function withServers(document: PolicyDocument, away: string): PolicyDocument {
  const known = document.virtualServers['known']!;
  const servers = Object.entries(ACTIONS).map(([name, actions]) => [
    name,
    { ...known, guardrails: { request: actions, response: actions } },
  ]);
  return {
    ...document,
    upstreams: {
      ...document.upstreams,
      // Nothing listens there: its name comes into the logs.
      [away]: {
        transport: { kind: 'streamable-http', url: 'http://127.0.0.1:1/mcp' },
        timeoutMs: 1_000,
        allowPrivateAddress: true,
        definitions: 'hide-changes',
      },
    },
    virtualServers: { ...document.virtualServers, ...(Object.fromEntries(servers) as typeof document.virtualServers) },
  };
}
