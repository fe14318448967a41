import { GuardrailActions, type GuardrailRulesState } from '@warder/contracts';
import { BUILT_IN_PACKS, createEngine, type Screening } from '@warder/detectors';

/** One case as the scorer hands it over: neither its kind nor its label. */
export interface Case {
  readonly where: 'tool_response' | 'tool_args' | 'tool_description';
  readonly text: string;
}

interface Scored {
  readonly action: 'allow' | 'flag' | 'redact' | 'block';
  readonly findings: readonly { readonly category: string; readonly type: string }[];
  readonly text: string;
}

const packs = Object.entries(BUILT_IN_PACKS).map(([pack, detectors]): GuardrailRulesState => ({
  version: 1,
  status: 'active',
  pack,
  detectors: [...detectors],
}));
const engine = createEngine(packs);
const actions = GuardrailActions.parse({});

/** What the gateway does with this case by default: arguments and definitions arrive parsed, answers as blocks of text. */
export function scan({ where, text }: Case): Scored {
  if (where === 'tool_response') {
    const screening = engine.screen({ content: [{ type: 'text', text }] }, 'response', actions);
    return scored(screening, (screening.value as { content: { text: string }[] }).content[0]?.text ?? '');
  }
  const screening = engine.screen(parsed(text), where === 'tool_args' ? 'request' : 'response', actions);
  return scored(screening, screening.verdict === 'pass' ? text : JSON.stringify(screening.value));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Hidden characters are counted with injections: they are one way to bring one in. */
function scored({ verdict, findings }: Screening, text: string): Scored {
  const seen = findings.map(({ category, detector }) => ({
    category: category === 'hidden' ? 'injection' : category,
    type: detector,
  }));
  if (verdict === 'reject') return { action: 'block', findings: seen, text };
  return { action: verdict === 'mutate' ? 'redact' : seen.length > 0 ? 'flag' : 'allow', findings: seen, text };
}
