import type { ShapeDetector } from '../detector.js';
import { isDigit, isLetterOrDigit } from './characters.js';

const V4 = /(?:\d{1,3}\.){3}\d{1,3}/y;
/** Private, loopback, link-local, documentation, multicast: they lead to nobody. */
const V4_NOBODY =
  /^(?:0|10|127)\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^169\.254\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^192\.0\.[02]\.|^198\.(?:1[89]|51\.100)\.|^203\.0\.113\.|^(?:22[4-9]|2[3-5]\d)\.|\.0$|^255\./;
const VERSION_BEFORE = /(?:version|ver|release|build|v|\/|-|_)[ "'=:]{0,3}$/i;

/** Public IPv4 addresses. */
export const IPV4: ShapeDetector = {
  id: 'pii.ipv4',
  category: 'pii',
  what: 'Public IPv4 address',
  isAdvisory: true,
  fires: ['81.12.118.232', 'ip=8.8.4.4'],
  passes: ['10.250.205.191', '127.0.0.1', 'version 1.2.3.4', 'Chrome/114.0.0.1', '1.3.6.1.4.1', '300.1.1.1'],
  trigger: 'dotted',
  matchAt(text, start) {
    let from = start;
    while (from > 0 && start - from < 3 && isDigit(text.charCodeAt(from - 1))) from -= 1;
    const before = text.charCodeAt(from - 1);
    if (from > 0 && (isLetterOrDigit(before) || before === 46 || before === 95)) return undefined;
    V4.lastIndex = from;
    const found = V4.exec(text)?.[0];
    if (found === undefined || found.split('.').some((part) => Number(part) > 255 || /^0\d/.test(part)))
      return undefined;
    const end = from + found.length;
    const after = text.charCodeAt(end);
    if (isLetterOrDigit(after) || (after === 46 && isDigit(text.charCodeAt(end + 1)))) return undefined;
    const isAddress =
      !V4_NOBODY.test(found) &&
      (text.startsWith('//', from - 2) || !VERSION_BEFORE.test(text.slice(Math.max(0, from - 12), from)));
    return isAddress ? { start: from, end } : undefined;
  },
};

const TOKEN_CHARS_MAX = 48;
const isHexOrColon = (code: number): boolean => (code >= 48 && code <= 58) || ((code | 32) >= 97 && (code | 32) <= 102);
const V6_WHOLE = /^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$/i;
const V6_SHORT = /^(?=(?:[0-9a-f]*:){3,7})(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}$/i;
/** Loopback, link-local, unique local, documentation, multicast. */
const V6_NOBODY = /^(?:fe[89ab]|f[cd]|ff|2001:0?db8:|::1$|0{1,4}:0)/i;
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** The run of hex and colons that a shape stands in, if no letter adjoins it. */
function tokenAt(text: string, start: number): { readonly from: number; readonly token: string } | undefined {
  let from = start;
  while (from > 0 && start - from < TOKEN_CHARS_MAX && isHexOrColon(text.charCodeAt(from - 1))) from -= 1;
  let end = start;
  while (end < text.length && end - from < TOKEN_CHARS_MAX && isHexOrColon(text.charCodeAt(end))) end += 1;
  while (text[end - 1] === ':') end -= 1;
  // `ip:` in front of an address: only what a name could not hold is cut off.
  if (text[from] === ':' && text[from + 1] !== ':') from += 1;
  if (isLetterOrDigit(text.charCodeAt(end)) || (from > 0 && isLetterOrDigit(text.charCodeAt(from - 1))))
    return undefined;
  return { from, token: text.slice(from, end) };
}

/** Public IPv6 addresses. */
export const IPV6: ShapeDetector = {
  id: 'pii.ipv6',
  category: 'pii',
  what: 'Public IPv6 address',
  isAdvisory: true,
  fires: ['2a02:9af8:163e:cd60:9d22:8ee2:b6da:6ae8', '2606:4700:4700::1111'],
  passes: ['fe80::1:2:3', '12:34:56', '2001:db8::1:2'],
  trigger: 'colon',
  matchAt(text, start) {
    const found = tokenAt(text, start);
    if (found === undefined || !(V6_WHOLE.test(found.token) || V6_SHORT.test(found.token))) return undefined;
    if (V6_NOBODY.test(found.token) || !/\d/.test(found.token)) return undefined;
    return { start: found.from, end: found.from + found.token.length };
  },
};

/** Hardware addresses. */
export const MAC_ADDRESS: ShapeDetector = {
  id: 'pii.mac',
  category: 'pii',
  what: 'Hardware (MAC) address',
  isAdvisory: true,
  fires: ['ea:64:5b:f0:53:ea'],
  passes: ['00:00:00:00:00:00', 'ea:64:5b:f0:53:ea:01', '12:34:56'],
  trigger: 'colon',
  matchAt(text, start) {
    const found = tokenAt(text, start);
    if (found === undefined || !MAC.test(found.token) || /^(?:00:){5}00$|^(?:ff:){5}ff$/i.test(found.token))
      return undefined;
    return { start: found.from, end: found.from + found.token.length };
  },
};
