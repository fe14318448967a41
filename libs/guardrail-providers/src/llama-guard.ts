import type { GuardrailProvider } from '@warder/contracts';
import { chatPost, chatText } from './chat.js';
import { AnswerMalformed, type ProviderKind, type Sighting } from './provider-kind.js';

const SAFE = /^\s*safe\s*$/;
const UNSAFE = /^\s*unsafe\s*\n\s*(S\d{1,2}(?:\s*,\s*S\d{1,2})*)\s*$/;
/** Characters of an answer; all hazards are a fraction of it, and the form above is tried at every line end. */
const SAID_CHARS_MAX = 256;
/** Llama Guard 3 and 4: S7 is privacy; all others are about what the text says. */
const PRIVACY = 'S7';

/**
 * A classifier that answers as Llama Guard does: `safe`, or `unsafe` and a line of hazards. The server applies the model's
 * own template to the conversation.
 * @see model card of Llama Guard 3
 */
export function llamaGuard(settings: Extract<GuardrailProvider, { kind: 'llama-guard' }>): ProviderKind {
  const base = new URL(settings.url);
  return {
    origin: base,
    charsMax: 24_000,
    needsSecret: false,
    request: ({ text }, secret) =>
      chatPost(base, secret, {
        model: settings.model,
        temperature: 0,
        max_tokens: 64,
        messages: [{ role: 'user', content: text }],
      }),
    read: (answer): readonly Sighting[] => {
      const said = chatText(answer);
      if (said.length > SAID_CHARS_MAX) throw new AnswerMalformed('longer than a verdict');
      if (SAFE.test(said)) return [];
      const hazards = UNSAFE.exec(said)?.[1];
      if (hazards === undefined) throw new AnswerMalformed('neither safe nor unsafe');
      return hazards.split(',').map((hazard) => {
        const category = hazard.trim();
        return { kind: category === PRIVACY ? 'pii' : 'content', category };
      });
    },
  };
}
