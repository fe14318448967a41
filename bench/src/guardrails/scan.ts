import { GuardrailActions, type GuardrailRulesState } from '@warder/contracts';
import { BUILT_IN_PACKS, createEngine, type ScreeningEngine } from '@warder/detectors';

/** One case as the scorer hands it over: neither its kind nor its label. */
export interface Case {
  readonly where: 'tool_response' | 'tool_args' | 'tool_description';
  readonly text: string;
}

interface Told {
  readonly category: string;
  readonly type: string;
  readonly start?: number;
  readonly end?: number;
  readonly score: number;
}

interface Scored {
  readonly action: 'allow' | 'flag' | 'redact' | 'block';
  readonly findings: readonly Told[];
}

type Hits = ReturnType<ScreeningEngine['scan']>;

const packs = Object.entries(BUILT_IN_PACKS).map(([pack, detectors]): GuardrailRulesState => ({
  version: 1,
  status: 'active',
  pack,
  detectors: [...detectors],
}));
const engine = createEngine(packs);
const actions = GuardrailActions.parse({});
/** Signs that are no finding are handed over below the scorer's threshold, for its curves. */
const NO_FINDING = 0.49;

/** What the gateway does with this case by default: arguments and definitions arrive parsed, answers as blocks of text. */
export function scan({ where, text }: Case): Scored {
  const isAnswer = where === 'tool_response';
  const value = isAnswer ? { content: [{ type: 'text', text }] } : parsed(text);
  const { verdict, findings } = engine.screen(value, where === 'tool_args' ? 'request' : 'response', actions);
  const reading = isAnswer ? 'answer' : where === 'tool_args' ? 'arguments' : 'definition';
  const places =
    isAnswer || typeof value === 'string' ? engine.scan(text, reading).map(told) : leafHits(value, text, reading);
  // A category counts as found only if the screening found it.
  const found = new Set(findings.map(({ category }) => categoryOf(category)));
  const seen = places.map((each) =>
    found.has(each.category) ? each : { ...each, score: Math.min(each.score, NO_FINDING) },
  );
  for (const { category, detector } of findings) {
    const known = seen.some((each) => each.category === categoryOf(category) && each.score > NO_FINDING);
    if (!known) seen.push({ category: categoryOf(category), type: detector, score: 1 });
  }
  if (verdict === 'reject') return { action: 'block', findings: seen };
  return { action: verdict === 'mutate' ? 'redact' : findings.length > 0 ? 'flag' : 'allow', findings: seen };
}

/** Hidden characters are counted with injections: they are one way to bring one in. */
const categoryOf = (category: string): string => (category === 'hidden' ? 'injection' : category);

const told = ({ category, detector, start, end, certainty }: Hits[number]): Told => ({
  category: categoryOf(category),
  type: detector,
  start,
  end,
  score: certainty,
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The hits of every string in a value, at their places in its serialised text. */
function leafHits(value: unknown, text: string, reading: 'answer' | 'arguments' | 'definition'): Told[] {
  const hits: Told[] = [];
  const add = (found: Hits, source: string, from: number): void => {
    for (const hit of found) {
      if (hit.start < from) continue;
      const written = JSON.stringify(source.slice(hit.start, hit.end)).slice(1, -1);
      const start = text.indexOf(written);
      hits.push(start < 0 ? { ...told(hit), start: 0, end: 0 } : { ...told(hit), start, end: start + written.length });
    }
  };
  const walk = (each: unknown, key: string): void => {
    if (typeof each === 'string') {
      const before = key === '' ? '' : `${key}: `;
      add(engine.scan(before + each, reading), before + each, before.length);
    } else if (typeof each === 'object' && each !== null) {
      for (const [name, member] of Object.entries(each)) {
        if (!Array.isArray(each)) add(engine.scan(name, reading), name, 0);
        walk(member, Array.isArray(each) ? '' : name);
      }
    }
  };
  walk(value, '');
  return hits;
}
