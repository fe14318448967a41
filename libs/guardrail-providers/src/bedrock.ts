import type { GuardrailProvider } from '@warder/contracts';
import { z } from 'zod';
import { parsed, parsedJson } from './parsed.js';
import { AnswerMalformed, categoryOf, type ProviderKind, SecretUnusable, type Sighting } from './provider-kind.js';
import { type AwsCredentials, signedHeaders } from '@warder/egress';

/** Of one answer: a short match may stand at every other character of the text. */
const SIGHTINGS_MAX = 10_000;

const Credentials = z.strictObject({
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().min(1).optional(),
});

const Named = z.object({ action: z.string(), name: z.string().optional(), type: z.string().optional() });
const Matched = Named.extend({ match: z.string().optional() });
const Assessment = z.object({
  contentPolicy: z.object({ filters: z.array(Named) }).nullish(),
  topicPolicy: z.object({ topics: z.array(Named) }).nullish(),
  wordPolicy: z
    .object({ customWords: z.array(Matched), managedWordLists: z.array(Matched) })
    .partial()
    .nullish(),
  sensitiveInformationPolicy: z
    .object({ piiEntities: z.array(Matched), regexes: z.array(Matched) })
    .partial()
    .nullish(),
  contextualGroundingPolicy: z.object({ filters: z.array(Named) }).nullish(),
});
const Applied = z.object({
  action: z.enum(['NONE', 'GUARDRAIL_INTERVENED']),
  assessments: z.array(Assessment).max(100),
});

/** @see Amazon Bedrock API reference, ApplyGuardrail */
export function bedrock(settings: Extract<GuardrailProvider, { kind: 'bedrock' }>): ProviderKind {
  const { region, guardrail, guardrailVersion } = settings;
  const base = new URL(settings.url ?? `https://bedrock-runtime.${region}.amazonaws.com`);
  const path = `/guardrail/${encodeURIComponent(guardrail)}/version/${guardrailVersion}/apply`;
  return {
    origin: base,
    charsMax: 24_000,
    needsSecret: true,
    request: ({ text, direction }, secret, { wallMs }) => {
      const body = JSON.stringify({
        source: direction === 'request' ? 'INPUT' : 'OUTPUT',
        content: [{ text: { text } }],
      });
      const headers = { 'content-type': 'application/json' };
      const toSign = { method: 'POST', path, host: base.host, headers, body, region, service: 'bedrock' };
      return { path, headers: signedHeaders(toSign, credentialsOf(secret), wallMs), body };
    },
    read: (answer, { text }) => {
      const { action, assessments } = parsed(Applied, answer);
      const sightings: Sighting[] = [];
      for (const assessment of assessments)
        for (const sighting of sightingsOf(assessment, text)) {
          if (sightings.length === SIGHTINGS_MAX) throw new AnswerMalformed('more places than are read');
          sightings.push(sighting);
        }
      if (action === 'GUARDRAIL_INTERVENED' && sightings.length === 0)
        throw new AnswerMalformed('intervened, and no assessment says why');
      return sightings;
    },
  };
}

function credentialsOf(secret: string): AwsCredentials {
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = parsed(Credentials, parsedJson(secret));
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  } catch {
    throw new SecretUnusable('not {"accessKeyId", "secretAccessKey"}');
  }
}

function* sightingsOf(assessment: z.infer<typeof Assessment>, text: string): Generator<Sighting> {
  const { contentPolicy, topicPolicy, wordPolicy, sensitiveInformationPolicy, contextualGroundingPolicy } = assessment;
  for (const { type = 'content' } of contentPolicy?.filters ?? [])
    yield { kind: type === 'PROMPT_ATTACK' ? 'injection' : 'content', category: categoryOf(type) };
  for (const { name, type = 'topic' } of [
    ...(topicPolicy?.topics ?? []),
    ...(contextualGroundingPolicy?.filters ?? []),
  ])
    yield { kind: 'content', category: categoryOf(name ?? type) };
  for (const { match } of [...(wordPolicy?.customWords ?? []), ...(wordPolicy?.managedWordLists ?? [])])
    yield* placed(text, match, { kind: 'content', category: 'word' });
  const { piiEntities = [], regexes = [] } = sensitiveInformationPolicy ?? {};
  for (const { match, name, type = 'pii' } of [...piiEntities, ...regexes])
    yield* placed(text, match, { kind: 'pii', category: categoryOf(name ?? type) });
}

/** It names what it matched and not where: every place at which that stands. */
function* placed(text: string, match: string | undefined, sighting: Sighting): Generator<Sighting> {
  let start = match === undefined || match === '' ? -1 : text.indexOf(match);
  if (match === undefined || start < 0) return yield sighting;
  for (; start >= 0; start = text.indexOf(match, start + match.length))
    yield { ...sighting, span: { start, end: start + match.length } };
}
