import type { SecretFormat } from './issued-key.js';

/** Keys with a fixed beginning, middle or end that their issuers document. */
export const OBSERVE_FORMATS: readonly SecretFormat[] = [
  [
    'newrelic-key',
    'New Relic key',
    [
      'NRAK-{aA0:27}',
      'nrak-{a0:27}',
      'NRII-{aA0_-:32}',
      'NRAL-{aA0:27}',
      'NRJS-{h:19}',
      'NRRA-{h:42}',
      'NRIQ-{aA0_-:32}',
    ],
  ],
  ['grafana-token', 'Grafana token', ['glsa_{aA0:32}_{H:8}', 'glc_eyJ{aA0+/=:40-400}', 'eyJrIjoi{aA0+/=:60-400}']],
  ['sentry-token', 'Sentry token', ['sntrys_eyJ{aA0+/=:40-400}_{aA0+/:14-60}', 'sntryu_{h:64}', 'sntrya_{h:64}']],
  ['posthog-key', 'PostHog personal key', ['phx_{aA0_:40-60}', 'phs_{aA0_:40-60}']],
  ['honeycomb-key', 'Honeycomb key', ['hcaik_{a0:58}', 'hcxik_{a0:58}', 'hcamk_{a0:58}', 'hcxmk_{a0:58}']],
  [
    'dynatrace-token',
    'Dynatrace token',
    ['dt0c01.{A0:24}.{A0:64}', 'dt0s01.{A0:24}.{A0:64}', 'dt0s16.{A0:8}.{A0:64}', 'dt0s02.{A0:8}.{A0:64}'],
  ],
  ['logfire-token', 'Logfire token', ['pylf_v1_us_{aA0:40-60}', 'pylf_v1_eu_{aA0:40-60}']],
  ['axiom-token', 'Axiom token', ['xaat-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}', 'xapt-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}']],
  ['mapbox-token', 'Mapbox secret token', ['sk.eyJ{aA0_-:60-200}.{aA0_-:20-30}']],
  ['stytch-secret', 'Stytch secret', ['secret-live-{aA0_=-:36}', 'secret-test-{aA0_=-:36}']],
  [
    'sidekiq-credential',
    'Sidekiq Pro credential',
    ['{h:8}:{h:8}@gems.contribsys.com', '{h:8}:{h:8}@enterprise.contribsys.com'],
  ],
  ['intra42-secret', 'Intra 42 secret', ['s-s4t2ud-{h:64}', 's-s4t2af-{h:64}']],
  ['wireguard-key', 'WireGuard private key line', ['PrivateKey = {aA0+/:43}=']],
  [
    'otp-seed',
    'One-time password seed',
    ['otpauth://totp/{aA0_:@.%-:3-80}?secret={b:16-64}', 'otpauth://hotp/{aA0_:@.%-:3-80}?secret={b:16-64}'],
  ],
  [
    'crypt-hash',
    'Password hash of crypt(3)',
    [
      '$2b$10${aA0./:53}',
      '$2a$10${aA0./:53}',
      '$2b$12${aA0./:53}',
      '$2y$10${aA0./:53}',
      '$6${aA0./:8-16}${aA0./:86}',
      '$argon2id$v=19$m={0:2-7},t={0:1-2},p={0:1-2}${aA0+/:16-64}${aA0+/:32-90}',
    ],
  ],
  ['newrelic-license-key', 'New Relic licence key', ['{h:36}NRAL']],
  ['splunk-hec-header', 'Splunk HEC header', ['Authorization: Splunk {h:8}-{h:4}-{h:4}-{h:4}-{h:12}']],
  ['bearer-header', 'Bearer token in a header', ['Authorization: Bearer {aA0_./+=~-:20-2000}']],
  ['basic-header', 'Basic credentials in a header', ['Authorization: Basic {aA0+/=:12-200}']],
  ['arcgis-key', 'ArcGIS API key', ['AAPK{aA0_-:60-80}', 'AAPT{aA0_-:60-300}']],
  [
    'presigned-signature',
    'Signature of a presigned URL',
    ['X-Amz-Signature={h:64}', 'X-Goog-Signature={h:128-600}', 'X-Amz-Security-Token={aA0%:80-2000}'],
  ],
  [
    'saml-assertion',
    'SAML response or assertion',
    ['SAMLResponse={aA0+/%=:100-20000}', 'SAMLRequest={aA0+/%=:400-20000}'],
  ],
  ['kubernetes-bootstrap-token', 'Kubernetes bootstrap token', ['--token {a0:6}.{a0:16}']],
];
