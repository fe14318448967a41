import { Refusal } from './refusal.js';

/** The one answer for a virtual server that is not there and for one that the token may not be used at. */
export function unknownServer(detail: string, rule?: string): Refusal {
  return new Refusal('WDR_VIRTUAL_SERVER_UNKNOWN', 'No such server', detail, rule === undefined ? {} : { rule });
}
