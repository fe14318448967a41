import type { LiteralDetector, Span } from '../detector.js';
import { AFTER_ESCAPE, WORD_START } from '../word-start.js';

/** A body for the samples, in two halves, so that no scanner of sources takes them for real. */
const BODY = ['a1B2c3D4e5F6g7H8i9J0', 'k1L2m3N4o5P6q7R8s9T0'].join('');

function secret(
  [kind, what]: readonly [kind: string, what: string],
  literals: readonly string[],
  pattern: RegExp,
  fires: string,
  passes: string,
): LiteralDetector {
  return {
    id: `secret.${kind}`,
    category: 'secret',
    what,
    fires: [fires],
    passes: [passes],
    trigger: 'literal',
    forms: [{ literals, pattern }],
  };
}

const PEM_END = '-----END';
/** Characters of one private key at most; the longest in use, RSA 16384, takes about 12,700. */
const PEM_CHARS_MAX = 16_384;

/** From `BEGIN` to the end of its `END` line; a block that was cut short is taken as far as it looks like one. */
function wholePem(text: string, begin: Span): Span {
  // Cut at the next BEGIN first: a text of nothing but BEGIN lines costs linear time.
  const whole = text.slice(begin.end, begin.end + PEM_CHARS_MAX);
  const next = whole.indexOf('-----BEGIN');
  const body = next < 0 ? whole : whole.slice(0, next);
  const end = body.indexOf(PEM_END);
  const last = end < 0 ? /^[A-Za-z0-9+/=\s\\:,-]*/.exec(body) : /^-----END[ A-Z0-9]{0,48}-{0,5}/.exec(body.slice(end));
  return { start: begin.start, end: begin.end + Math.max(end, 0) + (last?.[0].length ?? 0) };
}

/** Formats as their issuers publish them; a test or publishable key is no secret. */
export const KNOWN_SECRETS: readonly LiteralDetector[] = [
  secret(
    ['aws-access-key', 'AWS access key'],
    ['akia', 'asia', 'secret_access_key', 'secretaccesskey'],
    new RegExp(
      String.raw`${WORD_START}A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])|(?:[sS]ecret_?[aA]ccess_?[kK]ey|SECRET_ACCESS_KEY)["']?\s{0,4}(?:=>|[:=])\s{0,4}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])`,
      'y',
    ),
    `AKIA${'QYLPMN5HFIQR7B2X'}`,
    'AKIA is a prefix',
  ),
  secret(
    ['github-token', 'GitHub token'],
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    /gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{36,82}/y,
    `ghp_${BODY.slice(0, 36)}`,
    'ghp_ is a prefix',
  ),
  secret(
    ['gitlab-token', 'GitLab token'],
    ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glft-', 'glsoat-', 'glagent-', 'glimt-', 'gloas-'],
    /gl(?:pat|dt|rt|ptt|cbt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{20,300}/y,
    `glpat-${BODY.slice(0, 20)}`,
    'glpat-short',
  ),
  secret(
    ['slack-token', 'Slack token or webhook'],
    [
      'xoxa-',
      'xoxb-',
      'xoxe-',
      'xoxe.',
      'xoxo-',
      'xoxp-',
      'xoxr-',
      'xoxs-',
      'xapp-',
      'hooks.slack.com/',
      'https://hooks.slack.com/',
    ],
    /xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,250}|xapp-\d-[A-Za-z0-9-]{12,200}|(?:https:\/\/)?hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9+/]{40,60}/y,
    `xoxb-123456789012-${BODY.slice(0, 24)}`,
    'xoxb-1',
  ),
  secret(
    ['google-api-key', 'Google API key'],
    ['aiza'],
    /AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/y,
    `AIza${BODY.slice(0, 35)}`,
    'AIzauMXTGsb7i',
  ),
  secret(
    ['stripe-key', 'Stripe live key'],
    ['sk_live_', 'rk_live_'],
    /[sr]k_live_[A-Za-z0-9]{10,247}/y,
    `sk_live_${BODY.slice(0, 24)}`,
    'pk_live_abcdefghijklmnopqrstuvwx',
  ),
  {
    ...secret(
      ['private-key', 'Private key'],
      ['-----begin'],
      /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y,
      `-----BEGIN ${'PRIVATE KEY-----'}\n${BODY}\n-----END PRIVATE KEY-----`,
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
    ),
    extend: wholePem,
  },
  secret(
    ['jwt', 'JSON Web Token'],
    ['eyj'],
    new RegExp(
      String.raw`(?:(?<!(?:^|[^\\])[A-Za-z0-9]|[_-])|${AFTER_ESCAPE})eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`,
      'y',
    ),
    `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.${BODY}`,
    'eyJhbGci.abc.def',
  ),
  secret(
    ['npm-token', 'npm token'],
    ['npm_'],
    /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    `npm_${BODY.slice(0, 36)}`,
    'npm_config_registry',
  ),
  // A digit is asked for, so that `sk-` in front of hyphenated words is none.
  secret(
    ['model-api-key', 'API key of a model provider'],
    ['sk-'],
    new RegExp(
      String.raw`(?:(?<!(?:^|[^\\])[A-Za-z0-9]|_)|${AFTER_ESCAPE})sk-(?=[A-Za-z_-]{0,40}\d)(?:ant-|proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{20,200}(?![A-Za-z0-9_-])`,
      'y',
    ),
    `sk-ant-api03-${BODY}`,
    'sk-this-is-a-list-of-hyphenated-words',
  ),
  // Warder's own: whoever reads it in an answer could act as its owner.
  secret(
    ['warder-token', 'A token of this gateway'],
    ['wdr_'],
    /wdr_[A-Za-z0-9_-]{48}/y,
    `wdr_${BODY}12345678`,
    'wdr_short',
  ),
];
