import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CaptureLevel } from '@warder/contracts';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, IngressScene } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const LEVELS = CaptureLevel.options;
const CARD = '4111 1111 1111 1111';

let upstream: FixtureUpstream;
let scene: IngressScene;
let token: string;

const policyFor = (url: string) => ({
  upstreams: { fixture: { transport: { kind: 'streamable-http' as const, url }, allowPrivateAddress: true } },
  virtualServers: Object.fromEntries(
    LEVELS.map((capture) => [
      capture,
      {
        tools: [{ upstream: 'fixture', tool: '*', prefix: '' as const }],
        record: { capture, tools: { 'fixture/headers': { capture: 'none' as const } } },
      },
    ]),
  ),
  grants: [
    { name: 'developers', effect: 'permit' as const, to: { group: 'developers' }, tools: ['fixture/*'] },
    { name: 'no-add', effect: 'forbid' as const, to: { group: 'developers' }, tools: ['fixture/add'] },
  ],
});

async function start(config: object = {}): Promise<void> {
  scene = await new IngressScene().start(policyFor(upstream.url), config);
  token = await scene.token('ana');
  await scene.untilListed(new WireClient(scene, 'modern', token, 'full'), 'echo');
}

beforeEach(async () => {
  upstream = await startFixtureUpstream({ era: 'modern' });
});
afterEach(async () => {
  await scene?.stop();
  await upstream?.close();
});

const clientOf = (level: string) => new WireClient(scene, 'modern', token, level);

/** All bytes of the node's journal, which is everything that leaves the call. */
function journalText(): string {
  const dir = join(scene.dir, 'journal');
  const files = (readdirSync(dir, { recursive: true }) as string[]).map((name) => join(dir, name));
  const found = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, 'latin1'));
  return found.join('\n');
}

describe('what the journal holds of a call', () => {
  it.each([
    ['none', false],
    ['metadata', false],
    ['hashes', false],
    ['request', true],
    ['full', true],
  ] as const)('at %s has its arguments, refused or not: %s', async (level, isKept) => {
    await start({ journal: { dir: '', sizeMaxBytes: 2_097_152, segmentBytes: 262_144, isDrainPaused: true } });
    const client = clientOf(level);
    const calls = [
      ['echo', 'permitted'],
      ['add', 'forbidden'],
      ['ehco', 'unknown'],
    ] as const;
    for (const [tool, what] of calls) {
      await client.call(tool, { text: `canary-${what}`, [`key-${what}`]: { note: CARD } });
    }
    const text = journalText();
    for (const [, what] of calls) {
      expect([what, text.includes(`canary-${what}`), text.includes(`key-${what}`)]).toEqual([what, isKept, isKept]);
    }
    expect(text).toContain('"exposedName":"ehco"');
    expect(text).toContain('"detector":"pii.card"');
    expect(text).not.toContain(CARD);
  });
});

describe('the record of a call', () => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

  it('keeps of arguments and result what its level says', async () => {
    await start();
    for (const level of LEVELS) messageOf(await clientOf(level).call('echo', { text: `of ${level}` }));
    await eventually(() => scene.records.filter(({ tool }) => tool === 'echo').length === LEVELS.length);
    const found = scene.records.filter(({ tool }) => tool === 'echo');
    const kept = new Map(found.map(({ capture, personal }) => [capture, [personal?.arguments, personal?.result]]));
    const argumentsOf = (level: string) => JSON.stringify({ text: `of ${level}` });
    const whole = found.find(({ capture }) => capture === 'full')?.personal?.result;
    const resultOf = (level: string) =>
      JSON.stringify((whole as { value: unknown }).value).replace('of full', `of ${level}`);
    const bytes = (text: string) => ({ bytes: Buffer.byteLength(text) });
    const hashed = (text: string) => ({ ...bytes(text), sha256: sha256(text) });
    const valued = (text: string) => ({ ...bytes(text), value: JSON.parse(text) as unknown });
    expect(kept.get('none')).toEqual([null, null]);
    expect(kept.get('metadata')).toEqual([bytes(argumentsOf('metadata')), bytes(resultOf('metadata'))]);
    expect(kept.get('hashes')).toEqual([hashed(argumentsOf('hashes')), hashed(resultOf('hashes'))]);
    expect(kept.get('request')).toEqual([valued(argumentsOf('request')), hashed(resultOf('request'))]);
    expect(kept.get('full')).toEqual([valued(argumentsOf('full')), valued(resultOf('full'))]);
  });

  it('hashes what redaction left, never the secret itself', async () => {
    await start();
    await clientOf('hashes').call('echo', { text: CARD });
    const record = await eventually(() => scene.records.find(({ tool }) => tool === 'echo'));
    const text = '{"text":"[redacted:pii.card]"}';
    expect(record.personal?.arguments).toEqual({ bytes: text.length, sha256: sha256(text) });
  });

  it('follows the level of its tool before that of its virtual server', async () => {
    await start();
    await clientOf('full').call('headers', {});
    const record = await eventually(() => scene.records.find(({ tool }) => tool === 'headers'));
    expect(record).toMatchObject({ capture: 'none', outcome: 'success', personal: { arguments: null, result: null } });
  });

  it('says where a guardrail found something only where the value is kept', async () => {
    await start();
    for (const level of ['metadata', 'request']) await clientOf(level).call('echo', { text: CARD });
    await eventually(() => scene.records.filter(({ tool }) => tool === 'echo').length === 2);
    const places = scene.records
      .filter(({ tool }) => tool === 'echo')
      .map(({ capture, findings }) => [capture, findings.map(({ phase, place }) => [phase, place])]);
    expect(new Map(places as [string, unknown][])).toEqual(
      new Map([
        ['metadata', [['request', '']]],
        ['request', [['request', '/text']]],
      ]),
    );
  });
});
