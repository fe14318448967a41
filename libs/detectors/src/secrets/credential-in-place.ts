import type { LiteralDetector } from '../detector.js';
import { onlyIf } from './issued-key.js';
import { looksIssued, looksRandom } from './randomness.js';

const secret = (
  kind: string,
  what: string,
  forms: LiteralDetector['forms'],
  fires: readonly string[],
  passes: readonly string[],
): LiteralDetector => ({
  id: `secret.${kind}`,
  category: 'secret',
  what,
  fires,
  passes,
  trigger: 'literal',
  forms,
  extend: onlyIf((found) => looksRandom(found) && !/^[$%{<]/.test(found)),
});

/** Credentials that their place in a known syntax gives away: addresses, configuration files, command lines. */
export const CREDENTIALS_IN_PLACE: readonly LiteralDetector[] = [
  secret(
    'url-password',
    'A password in an address or connection string',
    [{ literals: ['://'], pattern: /:\/\/[^\s:@/?#"'<>\\]{0,64}:([^\s@/"'<>\\]{3,200})(?=@[A-Za-z0-9[.-])/y }],
    ['postgres://app:q7Zk2VxW9b@db.internal:5432/orders', 'https://ci:q7Zk2VxW9b@git.internal/x.git'],
    ['postgres://app:${PASSWORD}@db.internal/orders', 'http://localhost:8080/a@b', 'https://user@git.internal/x'],
  ),
  secret(
    'connection-string-key',
    'A key in a connection string of name and value pairs',
    [
      {
        literals: ['accountkey=', 'sharedaccesskey=', 'pwd=', ';password='],
        pattern: /(?:(?:shared(?:access)?|account)key|pwd|;password)=([^;\s"'<>\\]{8,200})/iy,
      },
    ],
    ['Server=db;User Id=app;Password=q7Zk2VxW9b;', 'AccountName=acme;AccountKey=q7Zk2VxW9bJn4RtYsG6m==;'],
    ['Server=db;Password=<password>;'],
  ),
  secret(
    'netrc-password',
    'A password in a netrc line',
    [{ literals: ['machine '], pattern: /machine \S{1,120}\s{1,8}login \S{1,120}\s{1,8}password ([^\s\\"]{6,128})/iy }],
    ['machine api.acme.test login bot password q7Zk2VxW9bJn'],
    ['the machine login password is reset'],
  ),
  secret(
    'pgpass-password',
    'A password in a pgpass line',
    [
      {
        literals: [':5432:', ':5433:', ':6432:', ':3306:'],
        pattern: /:(?:5432|5433|6432|3306):[^:\s]{1,63}:[^:\s]{1,63}:([^\s:"'\\]{6,128})/y,
      },
    ],
    ['db.acme.test:5432:orders:app:q7Zk2VxW9bJn'],
    ['127.0.0.1:5432:5432'],
  ),
  secret(
    'authorization-code',
    'An OAuth code or token in an address',
    [
      {
        literals: ['code=', 'access_token=', 'id_token=', 'refresh_token=', 'sig=', 'signature='],
        pattern:
          /(?<=[?&#])(?:code|access_token|id_token|refresh_token|sig|signature)=(?=[A-Za-z_.%-]{0,40}\d)([A-Za-z0-9_.%/+-]{20,2000})/iy,
      },
    ],
    ['https://app.test/callback?code=q7Zk2VxW9bJn4RtYsG6mFpChDl&state=x'],
    ['https://app.test/search?code=shoes', 'https://app.test/callback?code=a-code-that-is-made-of-words'],
  ),
  secret(
    'registry-auth',
    'Credentials of a container registry',
    [
      {
        literals: ['"auth"', '\\"auth\\"'],
        pattern: /\\?"auth\\?"\s{0,4}:\s{0,4}\\?"([A-Za-z0-9+/]{12,400}={0,2})\\?"/y,
      },
    ],
    ['{"auths": {"r.test": {"auth": "Y2k6cTdaazJWeFc5Yg=="}}}'],
    ['{"auth": "basic"}'],
  ),
  secret(
    'kubernetes-secret',
    'A value of a Kubernetes Secret',
    [
      {
        literals: ['kind: secret'],
        pattern:
          /kind: ["']?secret\b[^]{0,600}?\bdata:(?:\\[nr]|\s){0,40}["']?[\w.-]{1,60}["']?:\s{0,8}["'|>]{0,2}(?:\\[nr]|\s){0,20}([A-Za-z0-9+/]{8,4000}={0,3})/iy,
      },
      {
        literals: ['\ndata:', 'ndata:'],
        pattern:
          /(?:\n|n)data:(?:\\[nr]|\s){0,40}["']?[\w.-]{1,60}["']?:\s{0,8}["']?([A-Za-z0-9+/]{8,4000}={0,3})(?=[^]{0,600}?kind: ["']?secret\b)/iy,
      },
    ],
    ['apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ndata:\n  any: cTdaazJWeFc5YkpuNA=='],
    ['kind: ConfigMap\ndata:\n  any: cTdaazJWeFc5YkpuNA=='],
  ),
  secret(
    'nuget-password',
    'A password in a NuGet configuration',
    [{ literals: ['password" value=', 'password\\" value='], pattern: /password\\?" value=\\?"([^"\\<>]{8,200})/iy }],
    ['<add key="ClearTextPassword" value="q7Zk2VxW9bJn" />'],
    ['<add key="ClearTextPassword" value="%PASSWORD%" />'],
  ),
  {
    ...secret(
      'command-line-credential',
      'Credentials on a command line',
      [
        {
          literals: ['curl '],
          pattern: /curl [^\n|;]{0,120}?(?:-u|--user) {0,2}["']?[^\s:"']{1,64}:([^\s"'\\]{8,200})/y,
        },
        {
          literals: ['mysql ', 'sshpass ', 'mysqldump '],
          pattern: /(?:mysql(?:dump)?|sshpass) [^\n|;]{0,120}?-p ?["']?([^\s"'\\-][^\s"'\\]{7,100})/y,
        },
      ],
      ['curl -s -u ci:q7Zk2VxW9bJn4Rt https://a.test', 'mysql -u app -pq7Zk2VxW9bJn orders'],
      ['curl -u user:password https://a.test', 'mysql -u app -p orders'],
    ),
    extend: onlyIf(looksIssued),
  },
];
