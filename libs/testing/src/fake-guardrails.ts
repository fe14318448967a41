import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  bearerOf,
  bedrock,
  chat,
  FAKE,
  type FakeReply as Answer,
  type FakeRequest as Request,
  hook,
  lakera,
  presidio,
  promptShields,
} from './fake-guardrail-vendors.js';

type Vendor = (request: Request) => Answer;

/** How a fake provider answers; `right` is what its vendor's document says. */
export type FakeMood = 'right' | 'slow' | 'down' | 'html' | 'nonsense' | 'out-of-range' | 'huge' | 'limited' | 'broken';

const HUGE_BYTES = 8 * 1_048_576;

/** Third-party guardrails, as strict as their documents: what these do not allow is refused with the vendor's error. */
export class FakeGuardrails {
  mood: FakeMood = 'right';
  /** Bodies that came, in their order. */
  readonly bodies: string[] = [];
  private readonly server: Server;
  private googleKey: KeyObject | undefined;
  private readonly tokens = new Set<string>();

  constructor() {
    this.server = createServer((request, response) => {
      void this.take(request).then((answer) => {
        if (answer === undefined) return void request.socket.destroy();
        const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
        const type = text.startsWith('<') ? 'text/html' : 'application/json';
        response.writeHead(answer.status, { 'content-type': type }).end(text);
      });
    });
  }

  /** Listens on loopback. @returns its origin */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this.origin;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The public key that the assertions of the Google service account are checked with. */
  trustGoogleKey(pem: string): void {
    this.googleKey = createPublicKey(pem);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(incoming: IncomingMessage): Promise<Answer | undefined> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const request = { path: incoming.url!, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') };
    this.bodies.push(request.body);
    if (this.mood === 'down') return undefined;
    if (this.mood === 'slow') await new Promise((resolve) => setTimeout(resolve, 30_000).unref());
    if (incoming.method !== 'POST') return { status: 405, body: { error: 'method' } };
    const right = this.vendorOf(request.path)(request);
    if (right.status !== 200 && this.mood === 'right') return right;
    return inMood(this.mood, right);
  }

  private vendorOf(path: string): Vendor {
    if (path === '/hook') return hook;
    if (path === '/presidio/analyze') return presidio;
    if (path === '/v1/chat/completions') return chat;
    if (path.startsWith('/guardrail/')) return bedrock;
    if (path.startsWith('/contentsafety/')) return promptShields;
    if (path === '/v2/guard') return lakera;
    if (path === '/token') return (request) => this.googleToken(request);
    if (path.startsWith('/v1/projects/')) return (request) => this.modelArmor(request);
    return () => ({ status: 404, body: { error: 'no such path' } });
  }

  /** RFC 7523 as Google's token endpoint does it. */
  private googleToken({ headers, body }: Request): Answer {
    const invalid = (error: string): Answer => ({ status: 400, body: { error } });
    if (headers['content-type'] !== 'application/x-www-form-urlencoded') return invalid('invalid_request');
    const form = new URLSearchParams(body);
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return invalid('unsupported_grant_type');
    const [head, claims, signature] = (form.get('assertion') ?? '').split('.');
    if (this.googleKey === undefined || signature === undefined) return invalid('invalid_grant');
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      this.googleKey,
      Buffer.from(signature, 'base64url'),
    );
    const { aud, exp, iat, scope } = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as Record<
      string,
      unknown
    >;
    const isRight =
      aud === `${this.origin}/token` &&
      scope === 'https://www.googleapis.com/auth/cloud-platform' &&
      Number(exp) - Number(iat) <= 3_600 &&
      Math.abs(Number(iat) * 1_000 - Date.now()) < 60_000;
    if (!isSigned || !isRight) return invalid('invalid_grant');
    const token = `ya29.fake-${this.tokens.size}`;
    this.tokens.add(token);
    return { status: 200, body: { access_token: token, expires_in: 3_599, token_type: 'Bearer' } };
  }

  /** Model Armor API v1. */
  private modelArmor({ path, headers, body }: Request): Answer {
    const refuse = (code: number, status: string): Answer => ({ status: code, body: { error: { code, status } } });
    if (!this.tokens.has(bearerOf(headers) ?? '')) return refuse(401, 'UNAUTHENTICATED');
    const method = /^\/v1\/projects\/p\/locations\/europe-west4\/templates\/t:(\w+)$/.exec(path)?.[1];
    const member = method === 'sanitizeUserPrompt' ? 'userPromptData' : 'modelResponseData';
    const sent = JSON.parse(body) as Record<string, { text?: unknown }>;
    const text = sent[member]?.text;
    if (Object.keys(sent).join() !== member || typeof text !== 'string') return refuse(400, 'INVALID_ARGUMENT');
    const state = (is: boolean) => ({
      executionState: 'EXECUTION_SUCCESS',
      matchState: is ? 'MATCH_FOUND' : 'NO_MATCH_FOUND',
    });
    const isAttack = text.includes(FAKE.attack);
    const isPerson = text.includes(FAKE.person);
    return {
      status: 200,
      body: {
        sanitizationResult: {
          filterMatchState: isAttack || isPerson ? 'MATCH_FOUND' : 'NO_MATCH_FOUND',
          invocationResult: 'SUCCESS',
          filterResults: {
            pi_and_jailbreak: { piAndJailbreakFilterResult: state(isAttack) },
            sdp: { sdpFilterResult: { inspectResult: state(isPerson) } },
            csam: { csamFilterFilterResult: state(false) },
          },
          sanitizationMetadata: {},
        },
      },
    };
  }
}

function inMood(mood: FakeMood, right: Answer): Answer {
  switch (mood) {
    case 'html':
      return { status: 200, body: '<html><body>Sign in to the hotel network</body></html>' };
    case 'nonsense':
      return {
        status: 200,
        body: { verdict: 'perhaps', flagged: 'no', findings: 'none', choices: [], action: 'MAYBE' },
      };
    case 'out-of-range':
      return { status: 200, body: beyond(right.body) };
    case 'huge':
      return { status: 200, body: `[${'0,'.repeat(HUGE_BYTES / 2)}0]` };
    case 'limited':
      return { status: 429, body: { error: 'too many' } };
    case 'broken':
      return { status: 500, body: { error: 'inside' } };
    default:
      return right;
  }
}

/** Spans where there is no text: behind its end, or backwards. */
function beyond(body: unknown): unknown {
  const span = { start: 900_000, end: 900_004 };
  if (Array.isArray(body)) return [{ entity_type: 'PERSON', ...span, score: 0.9 }];
  return { findings: [{ kind: 'pii', category: 'name', start: 5, end: 2 }] };
}
