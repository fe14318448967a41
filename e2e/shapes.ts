import { type ClusterOptions, startCluster, startStandalone, type StartedWarder } from '@warder/testing';

/** The two ways of running Warder. */
export type Shape = 'standalone' | 'cluster';

/**
 * Which story runs in which shape; `docs/stories.md` shows the same table. What needs two nodes, or services that can
 * be stopped one by one, runs in the cluster only.
 */
export const STORY_SHAPES = {
  '1-list-and-call': ['standalone', 'cluster'],
  '2-outside-the-grant': ['standalone', 'cluster'],
  '3-redaction': ['standalone', 'cluster'],
  '4-revocation': ['cluster'],
  '5-who-used': ['standalone', 'cluster'],
  '6-outages': ['cluster'],
  '7-kill': ['standalone', 'cluster'],
  '8-bad-input': ['standalone', 'cluster'],
  '9-siem': ['standalone', 'cluster'],
  '10-chaos': ['cluster'],
  '11-scim': ['standalone', 'cluster'],
  '12-tokens': ['standalone', 'cluster'],
  '13-admin-evidence': ['standalone', 'cluster'],
  '14-sign-in': ['standalone', 'cluster'],
  '15-company-sign-in': ['standalone', 'cluster'],
  '17-saml-and-passwords': ['standalone', 'cluster'],
  '18-account': ['standalone', 'cluster'],
  '19-attacks': ['standalone'],
  '21-leases': ['standalone', 'cluster'],
  '22-six-accounts': ['standalone', 'cluster'],
  '16-ending-access': ['standalone', 'cluster'],
  '20-agents': ['standalone', 'cluster'],
  '25-poisoned-page': ['standalone', 'cluster'],
  '26-approvals': ['standalone', 'cluster'],
  '27-changed-tools': ['standalone', 'cluster'],
  '29-guardrail-providers': ['standalone', 'cluster'],
  property: ['standalone'],
  'system-calls': ['standalone'],
} as const satisfies Readonly<Record<string, readonly Shape[]>>;

export type Story = keyof typeof STORY_SHAPES;

/** The shapes of a story, for `describe.each`. */
export function shapesOf(story: Story): readonly Shape[] {
  return STORY_SHAPES[story];
}

/** Milliseconds that a `beforeAll` which starts a shape may take: the first one builds what is stale. */
export const START_TIMEOUT_MS = 240_000;

/** Starts Warder in a shape, on free ports and in a directory that goes at `stop`. */
export function startShape(shape: Shape, options: Pick<ClusterOptions, 'environment'> = {}): Promise<StartedWarder> {
  return shape === 'cluster' ? startCluster(options) : startStandalone();
}
