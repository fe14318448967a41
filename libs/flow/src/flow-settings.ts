import { FlowSettings, type UpstreamFlow } from '@warder/contracts';

export type FlowMode = NonNullable<FlowSettings['mode']>;

const BY_DEFAULT = FlowSettings.parse({});

/** How a virtual server decides, with what its policy leaves unsaid. */
export function flowSettingsOf(settings: FlowSettings = BY_DEFAULT): FlowSettings & { readonly mode: FlowMode } {
  return { ...settings, mode: settings.mode ?? (settings.preset === 'strict' ? 'enforce' : 'flag') };
}

/** What the policy says of an upstream's tools; of one that is built in it says nothing. */
export function flowOfUpstream(upstream: object | undefined): UpstreamFlow | undefined {
  return upstream !== undefined && 'flow' in upstream ? (upstream.flow as UpstreamFlow | undefined) : undefined;
}
