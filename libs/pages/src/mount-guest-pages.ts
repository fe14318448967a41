import { hkdfSync } from 'node:crypto';
import type { AdminAccess } from '@warder/admin-access';
import type { Pepper } from '@warder/contracts';
import { Buckets, type Rate } from '@warder/limits';
import type { Host } from '@warder/service-host';
import { BrowserForms } from './browser-forms.js';
import { BrowserVisits } from './browser-visit.js';
import { GuestPages, type PagesShown } from './guest-pages.js';
import type { PassKeys } from './pass-keys.js';
import { PageError } from './web.js';

/** Requests of one address to the pages in a minute, a third of them at once. */
const REQUESTS_PER_MINUTE = 600;
const COUNTED_MAX = 50_000;

export interface MountedPages {
  readonly host: Host;
  readonly access: AdminAccess;
  readonly pepper: Pepper;
  /** Whose pages they are: no other service can make their forms and visits. */
  readonly service: string;
  readonly passes: PassKeys;
  readonly changesPerMinute: number;
  /** Of one address; 600 where not given. */
  readonly requestsPerMinute?: number;
  /** Whether what they show was read, beside principals. */
  readonly isReady: () => boolean;
  readonly pages: PagesShown;
}

/** Puts pages under their path, with the bounds and the record that all of them have. */
export function mountGuestPages(mounted: MountedPages): void {
  const { host, access, passes, pages, changesPerMinute, requestsPerMinute = REQUESTS_PER_MINUTE } = mounted;
  const origin = host.door.publicUrl();
  const isSecure = origin.protocol === 'https:';
  const wallMs = (): number => host.clock.wallMs();
  const requests = { emissionMs: 60_000 / requestsPerMinute, burst: Math.ceil(requestsPerMinute / 3) };
  const changes = { emissionMs: 60_000 / changesPerMinute, burst: changesPerMinute };
  const [requested, changed] = [new Buckets(COUNTED_MAX), new Buckets(COUNTED_MAX)];
  const take = (buckets: Buckets, key: string, rate: Rate): void => {
    if (buckets.take(key, rate, host.clock.monotonicMs()) >= 0) return;
    throw new PageError(429, 'Too much at once. Wait a minute and try again.');
  };
  const door = new GuestPages({
    ...pages,
    visits: new BrowserVisits(pages.name, keyOf(mounted, 'visits'), isSecure, access.directory, wallMs),
    passes,
    forms: new BrowserForms(keyOf(mounted, 'forms'), isSecure),
    origin,
    recentMs: host.adminRules.recentSignInMinutes * 60_000,
    address: (request) => host.door.clientAddress(request),
    wallMs,
    isReady: () => access.isReady() && mounted.isReady(),
    takeRequest: (address) => take(requested, address, requests),
    takeChange: (principalId) => take(changed, principalId, changes),
    onRefusal: ({ principal, address, method, code, detail, isForbidden }) =>
      access.refused.note({
        kind: principal === null ? 'authentication' : 'admin',
        by: { principal, token: null, address },
        arguments: { method, route: `/${pages.name}` },
        refusal: { code, detail, isForbidden },
      }),
    onBug: (error) => host.log.error({ err: error }, `a page of the ${pages.name} failed`),
  });
  host.mountRaw(`/${pages.name}`, (request, response) => void door.handle(request, response));
}

/** Whoever reads the database alone can make neither a visit nor a form. */
function keyOf({ pepper, service }: MountedPages, purpose: string): string {
  const secret = pepper.keys[pepper.current]!;
  return Buffer.from(hkdfSync('sha256', secret, '', `warder ${service} ${purpose}`, 32)).toString('base64url');
}
