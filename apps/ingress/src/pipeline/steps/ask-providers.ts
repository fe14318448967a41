import { type AskedProvider, type DirectionUses, NO_PROVIDERS } from '@warder/access';
import type { ProviderDirection } from '@warder/contracts';
import { LABEL_BIT } from '@warder/flow';
import { type GiveUp, type JoinedTexts, joinTexts, withCuts } from '@warder/guardrail-providers';
import { isObject, stringifyJson } from '@warder/mcp-wire';
import type { Answered, Credentialed, Recorded, Released } from '../call.js';
import type { Gateway, InterimMessage, PolicyView } from '../gateway.js';
import { Refusal } from '../refusal.js';
import { note } from './screen.js';
import { recordOf, type Said, weigh, type Weighed } from './weigh-providers.js';

type Parts = Pick<Gateway, 'providers' | 'flow' | 'face'>;
type Judged = Partial<Pick<Credentialed, 'args' | 'cleanArgs' | 'argsText' | 'cleanMeta'>>;

/** What is asked about, as it is after redaction and as it came. */
interface Texts {
  readonly redacted: JoinedTexts;
  readonly original: JoinedTexts;
}

/** Detectors that a refusal names; a provider may call things as it likes. */
const NAMED_MAX = 20;
const NEVER: GiveUp = { aborted: false, addEventListener() {}, removeEventListener() {} };

/**
 * Shows the arguments to the guardrail providers of the tool, all at the same time, and waits for those that an operator
 * made it wait for, each for its own deadline at most.
 * @returns undefined where nobody has to be waited for
 * @throws Refusal WDR_GUARDRAIL_BLOCKED, WDR_GUARDRAIL_UNAVAILABLE
 */
export function askAboutArguments(call: Credentialed, policy: PolicyView, parts: Parts): Promise<Judged> | undefined {
  const uses = policy.providers(call.virtualServer, call.target);
  if (uses === NO_PROVIDERS) return undefined;
  const clean = { args: call.cleanArgs, meta: call.cleanMeta };
  const texts = textsOf(uses.request, clean, () => ({ args: call.args, meta: call.meta }));
  askAfter(call, uses.request.after, 'request', texts, parts, undefined);
  if (uses.request.wait.length === 0) return undefined;
  return wait(call, uses.request.wait, 'request', texts, parts).then((weighed) => {
    const cut = withCuts(clean, texts.redacted, weighed.cuts) as typeof clean;
    decide(call, weighed, 'request', cut.args);
    call.holds.push(...weighed.holds);
    if (cut === clean) return {};
    return { args: cut.args, cleanArgs: cut.args, argsText: stringifyJson(cut.args), cleanMeta: cut.meta };
  });
}

/**
 * The same of an answer, before any of it is released.
 * @throws Refusal WDR_GUARDRAIL_BLOCKED, WDR_GUARDRAIL_UNAVAILABLE
 */
export function askAboutAnswer(
  call: Released,
  policy: PolicyView,
  parts: Parts,
): Promise<Partial<Pick<Released, 'answer' | 'released'>>> | undefined {
  const uses = policy.providers(call.virtualServer, call.target);
  if (uses === NO_PROVIDERS) return undefined;
  const { released, answer } = call;
  const texts = textsOf(uses.response, released.value, () => answer.error ?? answer.result);
  askAfter(call, uses.response.after, 'response', texts, parts, answer.error ?? answer.result);
  if (uses.response.wait.length === 0) return undefined;
  return wait(call, uses.response.wait, 'response', texts, parts).then((weighed) => {
    decide(call, weighed, 'response', undefined);
    const value = withCuts(released.value, texts.redacted, weighed.cuts);
    if (value === released.value) return {};
    if (released.member === 'error') {
      const error = value as NonNullable<Answered['answer']['error']>;
      return { answer: { error }, released: { ...released, text: stringifyJson(value), value } };
    }
    const result = isObject(value) ? value : {};
    const text = call.revision.encodeResult(result, parts.face.server);
    return { answer: { result }, released: { ...released, text, value } };
  });
}

/**
 * Nobody is asked about messages that come before an answer: where calls wait for a provider's word on answers, no text of
 * an upstream goes ahead of it. Progress goes on as numbers.
 */
export function withoutUnasked(
  call: Recorded,
  policy: PolicyView,
  onInterim: (message: InterimMessage) => void,
): (message: InterimMessage) => void {
  if (policy.providers(call.virtualServer, call.target).response.wait.length === 0) return onInterim;
  return ({ method, params }) => {
    const { progressToken, progress, total } = params;
    // An upstream may write words where the schema has a number.
    if (method !== 'notifications/progress' || typeof progress !== 'number') return;
    onInterim({ method, params: { progressToken, progress, ...(typeof total === 'number' ? { total } : {}) } });
  };
}

function textsOf({ wait: waiting, after }: DirectionUses, redacted: unknown, original: () => unknown): Texts {
  const joined = joinTexts(redacted);
  const isAsked = [...waiting, ...after].some(({ text }) => text === 'original');
  return { redacted: joined, original: isAsked ? joinTexts(original()) : joined };
}

async function ask(
  call: Credentialed,
  provider: AskedProvider,
  direction: ProviderDirection,
  texts: Texts,
  { providers }: Parts,
  signal: GiveUp,
): Promise<Said> {
  const { callId, virtualServer, target } = call;
  const { text } = texts[provider.text];
  if (text === '') return { provider, answer: { ms: 0, sightings: [] } };
  const asked = { callId, virtualServer, tool: target.canonical, direction, text };
  return { provider, answer: await providers.ask(provider, asked, signal) };
}

async function wait(
  call: Credentialed,
  waiting: readonly AskedProvider[],
  direction: ProviderDirection,
  texts: Texts,
  parts: Parts,
): Promise<Weighed> {
  const said = await Promise.all(waiting.map((provider) => ask(call, provider, direction, texts, parts, call.signal)));
  const weighed = weigh(said, direction, call.screening[direction]);
  (call.said ??= []).push(...weighed.records);
  call.signal.throwIfAborted();
  return weighed;
}

/** Refuses what is blocked, and what could not be decided. */
function decide(call: Credentialed, weighed: Weighed, direction: ProviderDirection, recordedArgs: unknown): void {
  note(call, weighed.findings);
  const facts = recordedArgs === undefined ? {} : { recordedArgs };
  const what = direction === 'request' ? 'Arguments' : 'Answer';
  if (weighed.isBlocked) {
    const detectors = weighed.findings.filter(({ action }) => action === 'block').map(({ detector }) => detector);
    const message = `${what} blocked by a guardrail of this gateway`;
    throw new Refusal('WDR_GUARDRAIL_BLOCKED', message, `blocked: ${detectors.slice(0, NAMED_MAX).join(', ')}`, facts);
  }
  if (weighed.missing.length === 0) return;
  const message =
    direction === 'request'
      ? 'Not called: a guardrail that has to look at the arguments cannot be asked at the moment'
      : 'The call was made, and its answer is withheld: a guardrail that has to look at it cannot be asked at the moment';
  throw new Refusal('WDR_GUARDRAIL_UNAVAILABLE', message, `no word of ${weighed.missing.join(', ')}`, facts);
}

/**
 * Asks without being waited for. What is found raises the labels of the run, and so does the missing word of a provider
 * that is `closed`: the calls after this one are decided on with them.
 * @param answer - of the upstream, whose values count as untrusted then; undefined of a request
 */
function askAfter(
  call: Credentialed,
  after: readonly AskedProvider[],
  direction: ProviderDirection,
  texts: Texts,
  parts: Parts,
  answer: unknown,
): void {
  for (const provider of after) {
    void ask(call, provider, direction, texts, parts, NEVER).then((said) => {
      parts.providers.toldAfter(recordOf(said, direction), call.callId);
      const raised = raisedBy(said);
      if (raised === 0 || call.run === undefined) return;
      const bits = (call.flow.bits & ~LABEL_BIT.sanitiser) | raised;
      parts.flow.observe(call.run, { callId: call.callId, tool: call.target.canonical, bits }, call.flow, answer);
    });
  }
}

function raisedBy({ provider, answer }: Said): number {
  if (answer.sightings === undefined) return provider.onError === 'closed' ? LABEL_BIT.untrusted : 0;
  return answer.sightings.reduce(
    (bits, { kind }) => bits | (kind === 'pii' || kind === 'secret' ? LABEL_BIT.private : LABEL_BIT.untrusted),
    0,
  );
}
