import type { GuardrailProvider } from '@warder/contracts';
import { z } from 'zod';
import { parsed, parsedJson } from './parsed.js';
import { AnswerMalformed, categoryOf, type ProviderKind, SecretUnusable, type Sighting } from './provider-kind.js';
import { type AwsCredentials, signedHeaders } from './sigv4.js';

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
      const sightings = assessments.flatMap((assessment) => sightingsOf(assessment, text));
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

function sightingsOf(assessment: z.infer<typeof Assessment>, text: string): Sighting[] {
  const { contentPolicy, topicPolicy, wordPolicy, sensitiveInformationPolicy, contextualGroundingPolicy } = assessment;
  const content = (contentPolicy?.filters ?? []).map(({ type = 'content' }): Sighting => ({
    kind: type === 'PROMPT_ATTACK' ? 'injection' : 'content',
    category: categoryOf(type),
  }));
  const told = [...(topicPolicy?.topics ?? []), ...(contextualGroundingPolicy?.filters ?? [])].map(
    ({ name, type = 'topic' }): Sighting => ({ kind: 'content', category: categoryOf(name ?? type) }),
  );
  const words = [...(wordPolicy?.customWords ?? []), ...(wordPolicy?.managedWordLists ?? [])].flatMap((found) =>
    placed(text, found.match, { kind: 'content', category: 'word' }),
  );
  const personal = [...(sensitiveInformationPolicy?.piiEntities ?? []), ...(sensitiveInformationPolicy?.regexes ?? [])];
  const sensitive = personal.flatMap(({ match, name, type = 'pii' }) =>
    placed(text, match, { kind: 'pii', category: categoryOf(name ?? type) }),
  );
  return [...content, ...told, ...words, ...sensitive];
}

/** It names what it matched and not where: every place at which that stands. */
function placed(text: string, match: string | undefined, sighting: Sighting): Sighting[] {
  if (match === undefined || match === '') return [sighting];
  const found: Sighting[] = [];
  for (let start = text.indexOf(match); start >= 0; start = text.indexOf(match, start + match.length))
    found.push({ ...sighting, span: { start, end: start + match.length } });
  return found.length === 0 ? [sighting] : found;
}
