/** What a round does to whom, and when: milliseconds since its load began. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'kill'; readonly service: Killed; readonly downMs: number }
  | { readonly kind: 'broker-away'; readonly forMs: number }
  | { readonly kind: 'disk-full'; readonly node: IngressNode }
  | {
      readonly kind: 'disk-error';
      readonly node: IngressNode;
      readonly on: 'write' | 'sync' | 'both';
      /** Of each call that the journal makes to the disk. */
      readonly percent: number;
      readonly forMs: number;
    }
  | { readonly kind: 'clock-back'; readonly service: IngressNode | 'audit'; readonly byMs: number }
  | { readonly kind: 'duplicates'; readonly times: number }
);

export type IngressNode = 'ingress-1' | 'ingress-2';
export type Killed = IngressNode | 'audit' | 'kafka' | 'postgres';

export interface RoundPlan {
  readonly seed: number;
  readonly loadMs: number;
  /** Calls a second, over both nodes. */
  readonly perSecond: number;
  /** By their time. */
  readonly faults: readonly Fault[];
}

export interface PlanBounds {
  /** Of a broker that is away. */
  readonly awayMs: number;
  /** Of a round in which it is not. */
  readonly loadMs: number;
}

/** The consumer and every exporter live in `audit`. */
const KILLED: readonly Killed[] = ['ingress-1', 'audit', 'kafka', 'postgres', 'ingress-2'];
const NODES: readonly IngressNode[] = ['ingress-1', 'ingress-2'];
const HOUR_MS = 3_600_000;
const STEPS_MS = [1_500, 45_000, 600_000, 2 * HOUR_MS, 24 * HOUR_MS] as const;
const DOWN_MS_MAX = 3_000;
const MORE_FAULTS_MAX = 3;

type Maker = (random: () => number, bounds: PlanBounds, atMs: number) => Fault;
type KindName = Fault['kind'] | `kill ${Killed}`;

const MAKERS: Readonly<Record<KindName, Maker>> = {
  ...(Object.fromEntries(KILLED.map((service) => [`kill ${service}`, killOf(service)])) as Record<
    `kill ${Killed}`,
    Maker
  >),
  kill: (random, bounds, atMs) => killOf(pick(random, KILLED))(random, bounds, atMs),
  'broker-away': (_random, { awayMs }, atMs) => ({ kind: 'broker-away', atMs, forMs: awayMs }),
  'disk-full': (random, _bounds, atMs) => ({ kind: 'disk-full', atMs, node: pick(random, NODES) }),
  'disk-error': (random, { loadMs }, atMs) => ({
    kind: 'disk-error',
    atMs,
    node: pick(random, NODES),
    on: pick(random, ['write', 'sync', 'both'] as const),
    percent: pick(random, [5, 30, 100]),
    forMs: Math.round((0.1 + 0.3 * random()) * loadMs),
  }),
  'clock-back': (random, _bounds, atMs) => ({
    kind: 'clock-back',
    atMs,
    service: pick(random, [...NODES, 'audit'] as const),
    byMs: pick(random, STEPS_MS),
  }),
  duplicates: (_random, _bounds, atMs) => ({ kind: 'duplicates', atMs, times: 3 }),
};

/** Each is the first fault of every n-th seed, so that as many seeds in a row show them all. */
export const LEADING: readonly KindName[] = [
  'kill ingress-1',
  'kill audit',
  'disk-error',
  'kill kafka',
  'clock-back',
  'duplicates',
  'kill postgres',
  'disk-full',
  'kill ingress-2',
  'broker-away',
];
/** Those that take long only lead. */
const FOLLOWING: readonly KindName[] = ['kill', 'kill', 'disk-error', 'clock-back', 'duplicates'];

/** The plan of a round, the same one for the same seed and bounds. @param seed - an integer from 0 */
export function planOf(seed: number, bounds: PlanBounds): RoundPlan {
  const random = randomOf(seed);
  const at = (): number => Math.round((0.1 + 0.6 * random()) * bounds.loadMs);
  const leading = LEADING[seed % LEADING.length] as KindName;
  const first = MAKERS[leading](random, bounds, at());
  const more = Array.from({ length: 1 + Math.floor(random() * MORE_FAULTS_MAX) }, () =>
    MAKERS[pick(random, FOLLOWING)](random, bounds, at()),
  );
  return {
    seed,
    loadMs: bounds.loadMs,
    perSecond: 20 + Math.floor(random() * 30),
    faults: [first, ...more].toSorted((one, other) => one.atMs - other.atMs),
  };
}

/** One line for people. */
export function planText({ seed, loadMs, perSecond, faults }: RoundPlan): string {
  const words = faults.map(({ atMs, kind, ...rest }) => `${atMs} ms ${kind} ${Object.values(rest).join(' ')}`);
  return `seed ${seed}: ${perSecond} calls/s for ${loadMs} ms; ${words.join('; ')}`;
}

function killOf(service: Killed): Maker {
  return (random, _bounds, atMs) => ({ kind: 'kill', atMs, service, downMs: Math.round(random() * DOWN_MS_MAX) });
}

function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

/** Numbers in 0..1 of a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
