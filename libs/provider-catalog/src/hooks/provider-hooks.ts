import { documentOf } from '../json-pointer.js';
import type { ProviderHook } from '../provider-entry.js';
import type { ProviderRequest, ProviderSetup } from '../provider-setup.js';
import { accessibleResourcesRequest, readCloudId } from './atlassian-cloud-id.js';

/** A step after consent: one request with the new token, and the facts that its answer gives. */
export interface ProviderStep {
  request(setup: ProviderSetup, accessToken: string): ProviderRequest;
  /** Facts by name; nothing where the connection cannot be used. */
  read(
    setup: ProviderSetup,
    answer: { readonly status: number; readonly body: string },
  ): Readonly<Record<string, string>> | undefined;
}

const STEPS: Readonly<Record<ProviderHook, ProviderStep>> = {
  'atlassian-cloud-id': {
    request: (_setup, accessToken) => accessibleResourcesRequest(accessToken),
    read: ({ values }, { status, body }) => readCloudId(values['site'] ?? '', { status, body: documentOf(body) }),
  },
};

/** The step that this provider needs after consent, if it needs one. */
export function stepAfterConsent({ hook }: { readonly hook?: ProviderHook | undefined }): ProviderStep | undefined {
  return hook === undefined ? undefined : STEPS[hook];
}
