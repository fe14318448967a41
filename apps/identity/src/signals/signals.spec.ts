import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { AUDIENCE, CAEP, idOf, POLL_TOKEN, RISC, SSF, Transmitter } from './transmitter.scene.js';

const BEARER = 'the-bearer-that-warder-gave-to-the-transmitter';
const SESSION_REVOKED = `${CAEP}session-revoked`;
const DISABLED = `${RISC}account-disabled`;
const ENABLED = `${RISC}account-enabled`;
const PURGED = `${RISC}account-purged`;

let scene: IdentityScene;
let okta: Transmitter;
beforeAll(async () => {
  okta = new Transmitter();
  await okta.listen();
  scene = await IdentityScene.create();
  await start();
});
afterAll(async () => {
  await scene?.close();
  await okta?.close();
});

async function start(signals: object = {}): Promise<void> {
  const sender = { id: 'okta', provider: 'corp', issuer: okta.issuer, allowPrivateAddress: true };
  const provider = { kind: 'oidc', id: 'corp', name: 'Corp', issuer: okta.issuer, clientId: 'w', clientSecret: 's' };
  await scene.start({
    signIn: { providers: [{ ...provider, allowPrivateAddress: true }] },
    signals: {
      transmitters: [
        {
          ...sender,
          audience: [AUDIENCE],
          push: { bearer: BEARER },
          poll: { url: `${okta.issuer}/poll`, token: POLL_TOKEN, everySeconds: 1, messagesMax: 5 },
        },
      ],
      universalLogout: [sender, { ...sender, id: 'okta-gentle', holdsTokens: false }],
      requestsPerMinute: 100_000,
      burst: 10_000,
      bodyBytesMax: 16_384,
      ...signals,
    },
  });
}

let people = 0;
/** Somebody who signed in at the provider once. */
async function person(more: object = {}): Promise<{ id: string; email: string; subject: string }> {
  const number = (people += 1);
  const email = `p${number}@corp.example`;
  const { body } = await scene.ask('POST', '/principals', { name: `P ${number}`, email, ...more });
  const subject = `00u${number}`;
  await scene.query(
    `INSERT INTO identity.identity_link (provider, subject, principal_id) VALUES ('corp', '${subject}', '${body.id}')`,
  );
  return { id: body.id, email, subject };
}

const stateOf = (id: string) => scene.principals.get(id)!;
const signedOutAtMs = (id: string) => stateOf(id).signedOutAtMs ?? 0;
const bySub = ({ subject }: { subject: string }) => ({ format: 'iss_sub', iss: okta.issuer, sub: subject });
const push = (body: string, headers: Record<string, string> = {}, path = '/signals/push/okta') =>
  fetch(`${scene.running!.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${BEARER}`, 'content-type': 'application/secevent+jwt', ...headers },
    body,
  });
const told = async (response: Response) => [response.status, ((await response.json()) as { err: string }).err];
const logOut = (token: string | undefined, body: unknown, id = 'okta') =>
  fetch(`${scene.running!.url}/signals/universal-logout/${id}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const proof = (claims: object = {}, header: object = {}, id = 'okta') =>
  okta.proof(`${scene.running!.url}/signals/universal-logout/${id}`, claims, header);
const actsOn = (id: string) =>
  scene.records
    .filter(({ personal }) => JSON.stringify(personal?.arguments ?? null).includes(id))
    .map(({ method, verified }) => [method.replace('admin/identity/', ''), verified?.client ?? null]);
const refusals = () =>
  scene.records.flatMap(({ refusal, personal }) =>
    refusal === null ? [] : [`${refusal.code} ${personal?.refusalDetail}`],
  );

describe('a security event that is pushed', () => {
  it('of a revoked session ends what its person signed in to, once, and no one else’s', async () => {
    const [ana, ben] = [await person(), await person()];
    const token = okta.event(SESSION_REVOKED, bySub(ana));
    const answer = await push(token);
    expect([answer.status, await answer.text()]).toEqual([202, '']);
    await vi.waitFor(() => expect(signedOutAtMs(ana.id)).toBeGreaterThan(0));
    expect([stateOf(ana.id).status, signedOutAtMs(ben.id)]).toEqual(['active', 0]);
    const { version } = stateOf(ana.id);
    // Sent again, for the answer was lost: it is taken, and changes nothing.
    expect((await push(token)).status).toBe(202);
    await push(okta.event(`${SSF}verification`, { format: 'opaque', id: 'stream' }, { state: 'x' }));
    expect(stateOf(ana.id).version).toBe(version);
    await vi.waitFor(() =>
      expect(actsOn(ana.id)).toEqual([
        ['principal.create', null],
        ['principal.sign-out', 'okta'],
      ]),
    );
  });

  const SUBJECTS: [string, (who: { email: string; subject: string; id: string }) => object | undefined, object?][] = [
    ['its address', ({ email }) => ({ format: 'email', email: email.toUpperCase() })],
    ['an opaque id', ({ subject }) => ({ format: 'opaque', id: subject })],
    ['our own id', ({ id }) => ({ format: 'iss_sub', iss: scene.running!.url, sub: id })],
    ['a complex subject', (who) => ({ format: 'complex', user: bySub(who), device: { format: 'opaque', id: 'd' } })],
    [
      'aliases',
      ({ email }) => ({
        format: 'aliases',
        identifiers: [
          { format: 'opaque', id: 'x' },
          { format: 'email', email },
        ],
      }),
    ],
  ];
  it.each(SUBJECTS)('finds its person by %s', async (_how, subject) => {
    const ana = await person();
    expect((await push(okta.event(SESSION_REVOKED, subject(ana)))).status).toBe(202);
    await vi.waitFor(() => expect(signedOutAtMs(ana.id)).toBeGreaterThan(0));
  });

  it('finds its person where drafts that are in the field write the subject', async () => {
    const [ana, ben] = [await person(), await person()];
    await push(okta.event(SESSION_REVOKED, undefined, { subject: { user: bySub(ana) } }));
    await push(
      okta.event(SESSION_REVOKED, undefined, {
        subject: { subject_type: 'iss-sub', iss: `${okta.issuer}/`, sub: ben.subject },
      }),
    );
    await vi.waitFor(() => expect(Math.min(signedOutAtMs(ana.id), signedOutAtMs(ben.id))).toBeGreaterThan(0));
  });

  it('of somebody unknown, of another provider’s, or of no person is taken like any other, on record', async () => {
    const ana = await person();
    await scene.query(`UPDATE identity.identity_link SET provider = 'other' WHERE principal_id = '${ana.id}'`);
    const { version } = stateOf(ana.id);
    const unknown = [
      { format: 'email', email: 'nobody@corp.example' },
      { format: 'email', email: ana.email },
      { format: 'iss_sub', iss: 'https://other.example', sub: ana.subject },
      { format: 'opaque', id: ana.subject },
      { format: 'complex', session: { format: 'opaque', id: 's' } },
      { format: 'phone_number', phone_number: '+12065550100' },
      undefined,
    ];
    const answers = [];
    for (const subject of unknown) answers.push(await push(okta.event(SESSION_REVOKED, subject)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(await Promise.all(answers.map((each) => each.text())))).toEqual(new Set(['']));
    expect(stateOf(ana.id).version).toBe(version);
    await vi.waitFor(() =>
      expect(
        scene.records.filter(
          ({ method, personal }) =>
            method === 'admin/identity/signal.take' && JSON.stringify(personal).includes('"subject":null'),
        ),
      ).toHaveLength(unknown.length),
    );
  });

  it('that means nothing here is taken, and on record', async () => {
    const type = 'https://schemas.example/secevent/of-tomorrow';
    const token = okta.event(type, { format: 'opaque', id: 'x' });
    expect((await push(token)).status).toBe(202);
    await vi.waitFor(() => expect(actsOn(idOf(token))).toEqual([['signal.take', 'okta']]));
  });

  const CHANGES: [string, string, boolean][] = [
    ['password', 'update', true],
    ['password', 'revoke', true],
    ['fido2-platform', 'delete', true],
    ['fido2-platform', 'update', false],
    ['fido2-platform', 'create', false],
    ['password', 'something-new', true],
  ];
  it.each(CHANGES)('of a %s with change %s ends sessions: %s', async (kind, change, ends) => {
    const ana = await person();
    const token = okta.event(`${CAEP}credential-change`, bySub(ana), { credential_type: kind, change_type: change });
    expect((await push(token)).status).toBe(202);
    const sentinel = await person();
    await vi.waitFor(() => expect(stateOf(sentinel.id)).toBeDefined());
    expect(signedOutAtMs(ana.id) > 0).toBe(ends);
  });
});

describe('an account that its provider disables', () => {
  it('is kept out until the same provider enables it, by a later word than the last', async () => {
    const ana = await person();
    const nowS = Math.floor(Date.now() / 1_000);
    const at = (seconds: number) => ({ event_timestamp: nowS + seconds });
    await push(okta.event(DISABLED, bySub(ana), at(-100)));
    await vi.waitFor(() => expect(stateOf(ana.id).status).toBe('suspended'));
    // An older word that was on its way for longer, and one of the same moment.
    await push(okta.event(ENABLED, bySub(ana), at(-200)));
    await push(okta.event(ENABLED, bySub(ana), at(-100)));
    const late = await person();
    await vi.waitFor(() => expect(stateOf(late.id)).toBeDefined());
    expect(stateOf(ana.id).status).toBe('suspended');
    await push(okta.event(ENABLED, bySub(ana), at(-50)));
    await vi.waitFor(() => expect(stateOf(ana.id).status).toBe('active'));
    expect(signedOutAtMs(ana.id)).toBeGreaterThan(0);
    // Nor does the disabling of before come true again.
    await push(okta.event(DISABLED, bySub(ana), at(-90)));
    const later = await person();
    await vi.waitFor(() => expect(stateOf(later.id)).toBeDefined());
    expect(stateOf(ana.id).status).toBe('active');
  });

  it('stays out while an administrator keeps it out, and comes back by an administrator’s word', async () => {
    const [ana, ben] = [await person(), await person()];
    await scene.ask('PATCH', `/principals/${ana.id}`, { status: 'suspended' });
    for (const who of [ana, ben]) await push(okta.event(DISABLED, bySub(who), { event_timestamp: 1_700_000_000 }));
    await push(okta.event(ENABLED, bySub(ana)));
    await vi.waitFor(() => expect(stateOf(ben.id).status).toBe('suspended'));
    expect(stateOf(ana.id).status).toBe('suspended');
    await scene.ask('PATCH', `/principals/${ben.id}`, { status: 'active' });
    await vi.waitFor(() => expect(stateOf(ben.id).status).toBe('active'));
  });

  it('is removed for good when it is purged, and nothing that comes later brings it back', async () => {
    const ana = await person();
    const { body } = await scene.ask('POST', '/tokens', { principalId: ana.id, name: 'laptop' });
    await push(okta.event(PURGED, bySub(ana)));
    await vi.waitFor(() => expect(stateOf(ana.id).status).toBe('removed'));
    const { version } = stateOf(ana.id);
    for (const type of [ENABLED, DISABLED, SESSION_REVOKED, PURGED]) await push(okta.event(type, bySub(ana)));
    const late = await person();
    await vi.waitFor(() => expect(stateOf(late.id)).toBeDefined());
    expect(stateOf(ana.id)).toMatchObject({ status: 'removed', version });
    expect([...scene.tokens.values()].find(({ id }) => id === body.id)?.status).toBe('revoked');
  });

  it('is only suspended where nobody else could administer', async () => {
    const { body } = await scene.ask('GET', '/principals?limit=1');
    const { id } = body.principals[0]!;
    const chief = await person({ roles: ['admin'] });
    await scene.ask('PATCH', `/principals/${id}`, { roles: ['member'] });
    await push(okta.event(PURGED, bySub(chief)));
    await vi.waitFor(() => expect(stateOf(chief.id).status).toBe('suspended'));
    await scene.query(
      `UPDATE identity.principal SET roles = '{admin,auditor}', version = version + 10 WHERE id = '${id}'`,
    );
    await scene.stop();
    await start();
  });
});

describe('what is pushed and is no such event', () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const subject = { format: 'opaque', id: 'x' };
  const nowS = Math.floor(Date.now() / 1_000);
  const forged = (header: object) => {
    const text = `${part({ typ: 'secevent+jwt', kid: 'k1', ...header })}.${okta.event(SESSION_REVOKED, subject).split('.')[1]!}`;
    return `${text}.${sign('sha256', Buffer.from(text), other.privateKey).toString('base64url')}`;
  };
  const rows: [string, string, () => string][] = [
    [
      'is of another issuer',
      'invalid_issuer',
      () => okta.event(SESSION_REVOKED, subject, {}, { iss: 'https://evil.example' }),
    ],
    ['is for another audience', 'invalid_audience', () => okta.event(SESSION_REVOKED, subject, {}, { aud: 'other' })],
    ['is an ID token', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, {}, { typ: 'JWT' })],
    ['has no type', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, {}, { typ: undefined })],
    ['is a logout token', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, {}, { typ: 'logout+jwt' })],
    ['has no id', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, { jti: undefined })],
    [
      'has an id without end',
      'invalid_request',
      () => okta.event(SESSION_REVOKED, subject, {}, { jti: 'x'.repeat(600) }),
    ],
    ['has no time', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, { iat: undefined })],
    ['is too old', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, { iat: nowS - 169 * 3_600 })],
    ['is of the future', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, { iat: nowS + 3_600 })],
    ['has no events', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, { events: {} })],
    ['has events of another shape', 'invalid_request', () => okta.event(SESSION_REVOKED, subject, {}, { events: [1] })],
    [
      'is not signed',
      'invalid_key',
      () => `${part({ typ: 'secevent+jwt', alg: 'none' })}.${part({ iss: okta.issuer })}.`,
    ],
    ['is signed with a shared secret', 'invalid_key', () => forged({ alg: 'HS256' })],
    ['is signed by a stranger', 'invalid_key', () => forged({ alg: 'RS256' })],
    [
      'has a key of its own',
      'invalid_key',
      () => forged({ alg: 'RS256', jwk: other.publicKey.export({ format: 'jwk' }) }),
    ],
    ['has its key elsewhere', 'invalid_key', () => forged({ alg: 'RS256', jku: 'https://evil.example/keys' })],
    ['is no token', 'invalid_request', () => 'no token'],
    ['is nothing', 'invalid_request', () => ''],
  ];
  it.each(rows)('%s: refused with %s', async (_what, err, make) => {
    expect(await told(await push(make()))).toEqual([400, err]);
  });

  it('is refused without the bearer, on record, and nowhere quoted', async () => {
    const ana = await person();
    const token = okta.event(SESSION_REVOKED, bySub(ana));
    for (const authorization of ['', `Bearer ${'x'.repeat(40)}`, `Basic ${BEARER}`, `Bearer ${scene.adminToken}`])
      expect(await told(await push(token, { authorization }))).toEqual([400, 'authentication_failed']);
    expect(signedOutAtMs(ana.id)).toBe(0);
    await expect
      .poll(refusals, { timeout: 15_000 })
      .toContain('WDR_SIGNAL_REFUSED okta: authentication_failed: the bearer is not accepted');
    expect(JSON.stringify(scene.records)).not.toContain(token);
  });

  it('is refused in another media type, past the bound, by another method, and of an unknown sender', async () => {
    const token = okta.event(SESSION_REVOKED, subject);
    expect(await told(await push(token, { 'content-type': 'application/jwt' }))).toEqual([400, 'invalid_request']);
    const long = await push('x'.repeat(20_000));
    expect([long.status, await long.json()]).toMatchObject([413, { error: { code: 'WDR_BODY_TOO_LARGE' } }]);
    const got = await fetch(`${scene.running!.url}/signals/push/okta`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    for (const path of [
      '/signals',
      '/signals/push',
      '/signals/push/nobody',
      '/signals/push/okta/x',
      '/signals/x/okta',
    ]) {
      const answer = await push(token, {}, path);
      expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: 'WDR_PATH_UNKNOWN' } }]);
    }
  });
});

describe('a transmitter that is asked', () => {
  it('is told what was taken and what was not, and each event counts once', async () => {
    const [ana, ben] = [await person(), await person()];
    const good = okta.event(SESSION_REVOKED, bySub(ana));
    const foreign = okta.event(SESSION_REVOKED, bySub(ben), {}, { aud: 'other' });
    const misnamed = okta.event(SESSION_REVOKED, bySub(ben));
    okta.offer(foreign);
    okta.offer(misnamed, 'another-id');
    okta.offer(good);
    await vi.waitFor(() => expect(okta.waiting.size).toBe(0), { timeout: 15_000 });
    await vi.waitFor(() => expect(signedOutAtMs(ana.id)).toBeGreaterThan(0));
    expect(signedOutAtMs(ben.id)).toBe(0);
    expect(okta.questions.flatMap(({ ack }) => ack)).toContain(idOf(good));
    const errors = Object.assign({}, ...okta.questions.map(({ setErrs }) => setErrs)) as Record<
      string,
      { err: string }
    >;
    expect([errors[idOf(foreign)]?.err, errors['another-id']?.err]).toEqual(['invalid_audience', 'invalid_request']);
    const { version } = stateOf(ana.id);
    // It did not hear the acknowledgement, or another process asks too.
    okta.offer(good);
    await vi.waitFor(() => expect(okta.waiting.size).toBe(0), { timeout: 15_000 });
    expect(stateOf(ana.id).version).toBe(version);
  });

  it('gives more than one answer holds, and goes on after it was away', async () => {
    okta.failsWith = 500;
    const many = await Promise.all(Array.from({ length: 12 }, () => person()));
    okta.offer(okta.event(SESSION_REVOKED, { format: 'opaque', id: 'x' }));
    await vi.waitFor(() => expect(okta.failed).toBeGreaterThan(0), { timeout: 15_000 });
    for (const each of many) okta.offer(okta.event(SESSION_REVOKED, bySub(each)));
    okta.failsWith = undefined;
    await vi.waitFor(() => expect(okta.waiting.size).toBe(0), { timeout: 30_000 });
    await vi.waitFor(() => expect(Math.min(...many.map(({ id }) => signedOutAtMs(id)))).toBeGreaterThan(0));
    expect(Math.max(...okta.questions.map(({ maxEvents }) => maxEvents))).toBe(5);
    const metrics = await (await fetch(`${scene.running!.url}/metrics`)).text();
    expect(metrics).toMatch(/warder_signals_total\{transmitter="okta",became="taken"\} \d+/);
  });
});

describe('a request of universal logout', () => {
  it('ends all of the person, personal tokens too, until they sign in at the provider again', async () => {
    const ana = await person();
    const token = proof();
    const answer = await logOut(token, { sub_id: { format: 'email', email: ana.email } });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    await vi.waitFor(() => expect(stateOf(ana.id).status).toBe('suspended'));
    expect(signedOutAtMs(ana.id)).toBeGreaterThan(0);
    await vi.waitFor(() =>
      expect(actsOn(ana.id)).toEqual([
        ['principal.create', null],
        ['principal.sign-out', 'okta'],
        ['principal.change', 'okta'],
      ]),
    );
    // The same token is of no use a second time, for whomever.
    const replayed = await logOut(token, { sub_id: { format: 'email', email: ana.email } });
    expect([replayed.status, replayed.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('finds its person by the other forms that Okta sends, and leaves personal tokens where it is told to', async () => {
    const [ana, ben] = [await person(), await person()];
    const gentle = 'okta-gentle';
    expect((await logOut(proof({}, {}, gentle), { sub_id: bySub(ana) }, gentle)).status).toBe(204);
    const opaque = { format: 'opaque', id: ben.subject };
    expect((await logOut(proof({}, {}, gentle), { subject: opaque }, gentle)).status).toBe(204);
    await vi.waitFor(() => expect(Math.min(signedOutAtMs(ana.id), signedOutAtMs(ben.id))).toBeGreaterThan(0));
    expect([stateOf(ana.id).status, stateOf(ben.id).status]).toEqual(['active', 'active']);
  });

  const subject = { sub_id: { format: 'email', email: 'nobody@corp.example' } };
  const nowS = Math.floor(Date.now() / 1_000);
  const rows: [string, number, string, () => Promise<Response>][] = [
    ['of nobody here', 404, 'WDR_SIGNAL_SUBJECT_UNKNOWN', () => logOut(proof(), subject)],
    ['without a token', 401, 'WDR_SIGNAL_REFUSED', () => logOut(undefined, subject)],
    ['with an administrator’s token', 401, 'WDR_SIGNAL_REFUSED', () => logOut(scene.adminToken, subject)],
    ['of another issuer', 401, 'WDR_SIGNAL_REFUSED', () => logOut(proof({ iss: 'https://evil.example' }), subject)],
    ['for another path', 401, 'WDR_SIGNAL_REFUSED', () => logOut(proof({}, {}, 'okta-gentle'), subject)],
    ['with a security event', 401, 'WDR_SIGNAL_REFUSED', () => logOut(proof({}, { typ: 'secevent+jwt' }), subject)],
    ['that is over', 401, 'WDR_SIGNAL_REFUSED', () => logOut(proof({ exp: nowS - 120 }), subject)],
    ['without an end', 401, 'WDR_SIGNAL_REFUSED', () => logOut(proof({ exp: undefined }), subject)],
    ['that lives too long', 401, 'WDR_SIGNAL_REFUSED', () => logOut(proof({ iat: nowS - 3_600 }), subject)],
    ['without an id', 401, 'WDR_SIGNAL_REFUSED', () => logOut(proof({ jti: undefined }), subject)],
    ['that is no JSON', 400, 'WDR_SIGNAL_REFUSED', () => logOut(proof(), '{')],
    ['without a subject', 400, 'WDR_SIGNAL_REFUSED', () => logOut(proof(), {})],
    ['of another form', 400, 'WDR_SIGNAL_REFUSED', () => logOut(proof(), { sub_id: { format: 'did', url: 'did:x' } })],
    ['that is too long', 413, 'WDR_BODY_TOO_LARGE', () => logOut(proof(), { x: 'x'.repeat(20_000) })],
  ];
  it.each(rows)('%s is answered %i and %s', async (_what, status, code, send) => {
    const answer = await send();
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([status, code]);
  });
});

describe('a sender whose keys cannot be had', () => {
  it('is told to try again, and nothing that it says is lost', async () => {
    await scene.stop();
    okta.failsWith = 500;
    await start();
    const ana = await person();
    const token = okta.event(SESSION_REVOKED, bySub(ana));
    const answer = await push(token);
    okta.failsWith = undefined;
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toMatchObject([
      503,
      '30',
      { error: { code: 'WDR_SIGNAL_KEYS_AWAY' } },
    ]);
    // Where it was left off it is read again.
    await scene.stop();
    await start();
    expect((await push(token)).status).toBe(202);
    await vi.waitFor(() => expect(signedOutAtMs(ana.id)).toBeGreaterThan(0));
  });
});

describe('the door of signals', () => {
  it('is not there where no sender is configured', async () => {
    await scene.stop();
    await scene.start();
    const answer = await push('x');
    expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: 'WDR_PATH_UNKNOWN' } }]);
  });

  it('takes no more of an address than is configured', async () => {
    await scene.stop();
    await start({ requestsPerMinute: 1, burst: 2 });
    const answers = [];
    for (let sent = 0; sent < 3; sent += 1) answers.push(await push('x'));
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 429]);
    expect(await answers[2]!.json()).toMatchObject({ error: { code: 'WDR_SIGNALS_RATE_LIMITED' } });
    expect(Number(answers[2]!.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
