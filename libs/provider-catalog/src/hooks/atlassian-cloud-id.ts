import { textAt } from '../json-pointer.js';
import type { ProviderRequest } from '../provider-setup.js';

/** The sites that a 3LO token reaches. */
const ACCESSIBLE = new URL('https://api.atlassian.com/oauth/token/accessible-resources');

/** The request for the sites that this token reaches; a token says nothing of them itself. */
export function accessibleResourcesRequest(accessToken: string): ProviderRequest {
  return {
    url: new URL(ACCESSIBLE),
    namedBy: 'catalogue',
    method: 'GET',
    headers: { accept: 'application/json', authorization: `Bearer ${accessToken}` },
  };
}

/**
 * The fact `cloud_id` of the one site that the connection is for.
 * @param site - host of the site, as the parameter `site` says
 * @returns nothing where the person's consent does not reach that site: whichever else it reaches is another's data
 */
export function readCloudId(
  site: string,
  answer: { readonly status: number; readonly body: unknown },
): { readonly cloud_id: string } | undefined {
  if (answer.status !== 200 || !Array.isArray(answer.body)) return undefined;
  const found = answer.body.find((resource) => textAt(resource, '/url') === `https://${site}`) as unknown;
  const cloudId = textAt(found, '/id');
  return cloudId === undefined ? undefined : { cloud_id: cloudId };
}
