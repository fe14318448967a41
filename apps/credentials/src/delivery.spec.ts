import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { isGrantSigned, openLease, readCertificate } from '@warder/leases';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeliveryScene, SceneNode } from './delivery.scene.js';

const TOKENS = {
  'n-1': 'a-join-token-of-n-1-with-32-characters',
  'n-2': 'a-join-token-of-n-2-with-32-characters',
  'policy/policy-1': 'a-join-token-of-policy-1-with-32-characters',
};
const CANARY = 'Bearer canary-9c41';

let scene: DeliveryScene;
beforeEach(async () => {
  scene = await new DeliveryScene().start(TOKENS);
});
afterEach(() => scene.stop());

const joined = (name: 'n-1' | 'n-2' = 'n-1') => new SceneNode(scene, name).join(TOKENS[name]);
/** The refusal with its count, once the window in which refusals are counted has ended. */
const refusedBecause = (reason: string, count = 1) =>
  vi.waitFor(() => expect(scene.refusals()[reason]).toBe(count), { timeout: 20_000, interval: 100 });

describe('enrolment', () => {
  it('takes a node in by its join token, once, and keeps no token in readable form', async () => {
    const node = await joined();
    expect(scene.enrolled.get('n-1')).toMatchObject({ version: 1, status: 'active', identity: node.identityText });
    const thief = new SceneNode(scene, 'n-1');
    await scene.announce(thief.announcement({ joinToken: TOKENS['n-1'] }));
    await refusedBecause('join-token-used');
    expect(scene.enrolled.get('n-1')?.identity).toBe(node.identityText);
    expect(await scene.rows()).not.toContain(TOKENS['n-1']);
    const enrol = scene.records.find(({ method }) => method === 'admin/credentials/node.enrol');
    expect(enrol).toMatchObject({ verified: { client: 'n-1', by: 'join-token' }, outcome: 'success' });
  });

  it('certifies the processes of a service, as that service and no other, until they are revoked', async () => {
    const registrars = [createPublicKey(scene.signer)];
    const certified = () => readCertificate(scene.enrolled.get('policy-1')?.certificate ?? '', registrars);
    const joinToken = TOKENS['policy/policy-1'];
    for (const service of ['identity', 'ingress'] as const)
      await scene.announce(new SceneNode(scene, 'policy-1', service).announcement({ joinToken }));
    await refusedBecause('join-token-unknown', 2);
    const policy = await new SceneNode(scene, 'policy-1', 'policy').join(joinToken);
    expect(certified()).toMatchObject({ node: 'policy-1', service: 'policy', identity: policy.identityText });
    // Its next key is of the same service, and the certificates of before stay good: their time ends by itself.
    const predecessor = policy.identity;
    const next = new SceneNode(scene, 'policy-1', 'identity');
    await scene.announce(next.announcement({ predecessor }));
    await refusedBecause('predecessor-not-current');
    policy.identity = next.identity;
    await scene.announce(policy.announcement({ predecessor }));
    await vi.waitFor(() => expect(certified()?.identity).toBe(policy.identityText));
    const { validFromMs, enrolledAtMs } = scene.enrolled.get('policy-1')!;
    expect(validFromMs).toBeLessThan(enrolledAtMs);
    await scene.ask('delete', '/admin/credentials/nodes/policy-1');
    await vi.waitFor(() => expect(scene.enrolled.get('policy-1')?.certificate).toBeNull());
    const invited = await scene.ask('post', '/admin/credentials/nodes/policy-1/join-token', { service: 'policy' });
    await new SceneNode(scene, 'policy-1', 'policy').join(invited.body.joinToken);
    expect(scene.enrolled.get('policy-1')).toMatchObject({ status: 'active', service: 'policy' });
    expect(scene.enrolled.get('policy-1')!.validFromMs).toBeGreaterThan(validFromMs);
    const asRegistrar = { service: 'credentials' };
    const answer = await scene.ask('post', '/admin/credentials/nodes/credentials-2/join-token', asRegistrar);
    expect(answer.status).toBe(400);
  });

  it('tells a certificate of another key of its own as a newer version, and the same one as the same', async () => {
    const node = await joined();
    const certifiedBy = (signer: typeof scene.signer) =>
      readCertificate(scene.enrolled.get('n-1')?.certificate ?? '', [createPublicKey(signer)])?.identity;
    const { version } = scene.enrolled.get('n-1')!;
    const restart = async () => {
      await scene.stopService();
      scene.enrolled.clear();
      await scene.startService();
      await vi.waitFor(() => expect(scene.enrolled.has('n-1')).toBe(true));
    };
    scene.signer = generateKeyPairSync('ed25519').privateKey;
    await restart();
    expect(certifiedBy(scene.signer)).toBe(node.identityText);
    expect(scene.enrolled.get('n-1')!.version).toBe(version + 1);
    await restart();
    expect(scene.enrolled.get('n-1')!.version).toBe(version + 1);
  });

  it('takes no node in by the token of another, a guessed token, or none', async () => {
    const node = new SceneNode(scene, 'n-1');
    await scene.announce(node.announcement({ joinToken: TOKENS['n-2'] }));
    await scene.announce(node.announcement({ joinToken: 'a-guess-of-at-least-thirty-two-characters' }));
    await scene.announce(node.announcement());
    const wrong = node.announcement({ joinToken: TOKENS['n-1'] });
    await scene.announce({ ...wrong, node: 'n-2' });
    const old = { joinToken: TOKENS['n-1'], atMs: scene.clock.wallMs() - 61_000 };
    await scene.announce(node.announcement(old));
    await refusedBecause('join-token-unknown', 2);
    await refusedBecause('node-unknown');
    await refusedBecause('signature-wrong');
    await refusedBecause('clock-skew');
    expect(scene.enrolled.size).toBe(0);
  });

  it('changes a key when the one before it vouches, and takes the old one for a moment only', async () => {
    const node = await joined();
    await scene.putSecret('files', CANARY);
    const before = node.request('static/files');
    const predecessor = node.identity;
    node.identity = generateKeyPairSync('ed25519').privateKey;
    const rotation = node.announcement({ predecessor });
    await scene.announce(rotation);
    await vi.waitFor(() => expect(scene.enrolled.get('n-1')?.identity).toBe(node.identityText));
    expect((await node.ask('static/files')).refusal).toBeNull();
    await node.send(before);
    expect((await node.answerTo(before.requestId)).refusal).toBeNull();
    scene.clock.push(301_000);
    const late = new SceneNode(scene, 'n-1');
    late.identity = predecessor;
    expect((await late.ask('static/files')).refusal).toBe('node-unknown');
    // The key that was put away cannot bring in another one.
    const stolen = new SceneNode(scene, 'n-1');
    await scene.announce(stolen.announcement({ predecessor }));
    await refusedBecause('predecessor-not-current');
  });

  it('ends with its time, and with a revocation; another join token brings the node back', async () => {
    const node = await joined();
    await scene.putSecret('files', CANARY);
    const revoked = await scene.ask('delete', '/admin/credentials/nodes/n-1');
    expect(revoked.body).toMatchObject({ node: 'n-1', status: 'revoked', version: 2 });
    await vi.waitFor(() => expect(scene.enrolled.get('n-1')?.status).toBe('revoked'));
    const refused = await node.ask('static/files');
    expect([refused.lease, refused.refusal]).toEqual([null, 'node-revoked']);
    await refusedBecause('node-revoked');
    const invited = await scene.ask('post', '/admin/credentials/nodes/n-1/join-token');
    expect(invited.body).toMatchObject({ node: 'n-1', joinToken: expect.stringMatching(/^wdj_.{43}$/) });
    await node.join(invited.body.joinToken);
    await vi.waitFor(() => expect(scene.enrolled.get('n-1')?.status).toBe('active'));
    expect((await node.ask('static/files')).refusal).toBeNull();
    scene.clock.push(91 * 86_400_000);
    expect((await node.ask('static/files')).refusal).toBe('node-expired');
    expect(JSON.stringify(scene.records)).not.toContain(invited.body.joinToken);
  });

  it('is over with a revocation for whoever kept a token that was not used, too', async () => {
    await joined();
    const { body } = await scene.ask('post', '/admin/credentials/nodes/n-1/join-token');
    await scene.ask('delete', '/admin/credentials/nodes/n-1');
    await vi.waitFor(() => expect(scene.enrolled.get('n-1')?.status).toBe('revoked'));
    const thief = new SceneNode(scene, 'n-1');
    await scene.announce(thief.announcement({ joinToken: body.joinToken }));
    await refusedBecause('join-token-used');
    expect(scene.enrolled.get('n-1')?.status).toBe('revoked');
  });

  it('outlives a restart of the service', async () => {
    const node = await joined();
    await scene.putSecret('files', CANARY);
    await scene.stopService();
    await scene.startService();
    expect((await node.ask('static/files')).refusal).toBeNull();
  });
});

describe('a lease', () => {
  it('is sealed to who asked, signed, and ends within 15 minutes; its secret is in no topic, record or row', async () => {
    const node = await joined();
    await scene.putSecret('files', CANARY);
    const granted = await node.ask('static/files');
    expect(isGrantSigned(granted, createPublicKey(scene.signer))).toBe(true);
    expect(node.open(granted)).toEqual({ authorization: CANARY });
    expect(granted.lease).toMatchObject({ upstream: 'files', version: 1, generation: 1 });
    expect(granted.lease!.expiresAtMs - granted.lease!.issuedAtMs).toBe(900_000);
    expect(() => openLease(granted, generateKeyPairSync('x25519').privateKey)).toThrow('unable to authenticate data');
    await vi.waitFor(() => expect(scene.records.length).toBeGreaterThan(1));
    const said = [JSON.stringify([scene.granted, scene.records]), await scene.rows()];
    for (const text of said) expect(text).not.toContain('canary-9c41');
  });

  it('is given for no connection that there is not, that was revoked, or that is not whose it is asked for', async () => {
    const node = await joined();
    await scene.putSecret('files', CANARY);
    expect((await node.ask('static/none')).refusal).toBe('connection-unknown');
    expect((await node.ask('nothing/of-the-kind')).refusal).toBe('connection-unknown');
    for (const more of [{ principalId: 'usr_1' }, { upstream: 'other' }])
      expect((await node.ask('static/files', more)).refusal).toBe('connection-unknown');
    await scene.ask('delete', '/admin/credentials/static/files');
    await scene.untilOnBus('files', 2);
    expect((await node.ask('static/files')).refusal).toBe('connection-revoked');
  });

  it('is given to nobody whom no key, another key, a wrong clock or an earlier request speaks for', async () => {
    const node = await joined();
    await scene.putSecret('files', CANARY);
    const stranger = new SceneNode(scene, 'n-1');
    expect((await stranger.ask('static/files')).refusal).toBe('node-unknown');
    expect((await new SceneNode(scene, 'n-9').ask('static/files')).refusal).toBe('node-unknown');
    const skewed = { atMs: scene.clock.wallMs() + 61_000 };
    expect((await node.ask('static/files', skewed)).refusal).toBe('clock-skew');
    const good = node.request('static/files');
    await node.send(good);
    await node.answerTo(good.requestId);
    await node.send(good);
    // A key of somebody else in the place of the node's own.
    await node.send({ ...node.request('static/files'), sealing: stranger.request('x').sealing });
    await refusedBecause('node-unknown', 2);
    await refusedBecause('clock-skew');
    await refusedBecause('request-replayed');
    await refusedBecause('signature-wrong');
    expect(scene.granted.filter(({ lease }) => lease !== null)).toHaveLength(1);
  });

  it('is sent anew to who holds one when the credential is another, and to nobody else', async () => {
    const [holder, other] = [await joined('n-1'), await joined('n-2')];
    await scene.putSecret('files', CANARY);
    const requested = holder.request('static/files');
    await holder.send(requested);
    await holder.answerTo(requested.requestId);
    await scene.putSecret('files', 'second');
    const pushed = await holder.answerTo(requested.requestId, 2);
    expect(pushed.lease).toMatchObject({ version: 2, generation: 2 });
    expect(holder.open(pushed)).toEqual({ authorization: 'second' });
    expect(scene.granted.filter(({ node }) => node === other.name)).toEqual([]);
    // Whose lease has ended holds none.
    scene.clock.push(901_000);
    await scene.putSecret('files', 'third');
    expect((await other.ask('static/files')).lease).toMatchObject({ generation: 3 });
    expect(scene.granted).toHaveLength(3);
  });

  it('goes on to be given while the database is away', async () => {
    const node = await joined();
    await scene.putSecret('files', CANARY);
    await node.ask('static/files');
    await scene.stopDatabase();
    expect(node.open(await node.ask('static/files'))).toEqual({ authorization: CANARY });
  });
});
