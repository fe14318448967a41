import { CustomRules, guardrailRulesStateTopic } from '@warder/contracts';
import { exactHashes } from '@warder/tokens';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IngressScene, oneRecord, PEPPER } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

let upstream: FixtureUpstream;
let scene: IngressScene;
let client: WireClient;

const publish = (version: number, rules: object) =>
  scene.bus.publish(guardrailRulesStateTopic, 'custom', {
    version,
    status: 'active',
    pack: 'custom',
    detectors: [],
    custom: CustomRules.parse(rules),
  });
const said = async (text: string, nonce: string): Promise<unknown> =>
  messageOf(await client.call('fixture__echo', { text, nonce })).result?.content;
const recordOf = (nonce: string) =>
  oneRecord(scene, (record) => JSON.stringify(record.personal?.arguments).includes(`"${nonce}"`));
const staff = (keyId: string) => ({
  id: 'custom.staff',
  category: 'pii',
  onError: 'closed',
  keyId,
  shape: { lengths: [6], isDigits: true },
  hashes: [exactHashes({ p1: PEPPER }).get('p1')!('482913')],
});

beforeAll(async () => {
  upstream = await startFixtureUpstream({ era: 'modern' });
  scene = await new IngressScene().start({
    upstreams: { fixture: { transport: { kind: 'streamable-http', url: upstream.url }, allowPrivateAddress: true } },
    virtualServers: { dev: { tools: [{ upstream: 'fixture', tool: '*' }] } },
    grants: [{ name: 'developers', effect: 'permit', to: { group: 'developers' }, tools: ['fixture/*'] }],
  });
  client = new WireClient(scene, 'modern', await scene.token('ana'));
  await scene.untilListed(client, 'fixture__echo');
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

it('runs on rules of operators from the next call on, with their version in its record and the one before in the last', async () => {
  expect(await said('Nightingale', 'before')).toEqual([{ type: 'text', text: 'Nightingale' }]);
  await publish(5, { dictionaries: [{ id: 'custom.names', category: 'secret', terms: ['Nightingale'] }] });
  expect(await said('Nightingale', 'after')).toEqual([{ type: 'text', text: '[redacted:custom.names]' }]);
  const [before, after] = [await recordOf('before'), await recordOf('after')];
  expect([before.guardrailsVersion, after.guardrailsVersion]).toEqual([4, 9]);
  expect(JSON.stringify(after)).not.toContain('Nightingale');
});

it('finds exact values in arguments by their hashes', async () => {
  await publish(6, { exact: [staff('p1')] });
  expect(await said('employee 482913', 'exact')).toEqual([{ type: 'text', text: 'employee [redacted:custom.staff]' }]);
  expect(await recordOf('exact')).toMatchObject({
    guardrailsVersion: 10,
    findings: [{ detector: 'custom.staff', category: 'pii', action: 'redact', place: '/text' }],
  });
});

it('refuses what it cannot decide without the key of a list, and keeps nothing of it', async () => {
  await publish(7, { exact: [staff('p2')] });
  const { result } = messageOf(await client.call('fixture__echo', { text: 'hello', nonce: 'undecided' }));
  expect(result).toMatchObject({ isError: true });
  const record = await oneRecord(scene, ({ guardrailsVersion }) => guardrailsVersion === 11);
  expect(record).toMatchObject({
    refusal: { code: 'WDR_GUARDRAIL_BLOCKED' },
    findings: [{ detector: 'undecided.exact-values', action: 'block' }],
  });
  expect(JSON.stringify(record)).not.toContain('hello');
});
