import type { SecretFormat } from './issued-key.js';

/** Keys with a fixed beginning, middle or end that their issuers document. */
export const PAYMENT_FORMATS: readonly SecretFormat[] = [
  ['stripe-webhook-secret', 'Stripe webhook secret', ['whsec_{aA0+/=:32-64}']],
  [
    'stripe-test-key',
    'Stripe test secret key',
    ['sk_test_{aA0:10-247}', 'rk_test_{aA0:10-247}', 'sk_prod_{aA0:10-247}', 'rk_prod_{aA0:10-247}'],
  ],
  [
    'square-token',
    'Square access token or secret',
    ['EAAA{aA0_-:60}', 'sq0atp-{aA0_-:22}', 'sq0csp-{aA0_-:43}', 'sq0idp-{aA0_-:22}'],
  ],
  [
    'paypal-braintree-token',
    'Braintree access token',
    ['access_token$production${a0:16}${h:32}', 'access_token$sandbox${a0:16}${h:32}'],
  ],
  ['adyen-key', 'Adyen API key', ['AQE{aA0+/=:90-200}']],
  ['flutterwave-key', 'Flutterwave secret key', ['FLWSECK_TEST-{aA0:12-40}', 'FLWSECK-{aA0:12-40}']],
  ['gocardless-token', 'GoCardless token', ['live_{aA0_=-:40}', 'sandbox_{aA0_=-:40}']],
  ['razorpay-key', 'Razorpay key', ['rzp_live_{aA0:14}', 'rzp_test_{aA0:14}']],
  ['mollie-key', 'Mollie key', ['live_{aA0:30}', 'test_{aA0:30}']],
  [
    'plaid-token',
    'Plaid access token',
    [
      'access-sandbox-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}',
      'access-production-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}',
      'access-development-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}',
    ],
  ],
  ['easypost-key', 'EasyPost key', ['EZAK{aA0:54}', 'EZTK{aA0:54}']],
  ['shippo-token', 'Shippo token', ['shippo_live_{h:40}', 'shippo_test_{h:40}']],
  ['lob-key', 'Lob key', ['live_{h:35}', 'test_{h:35}']],
  ['shopify-token', 'Shopify token', ['shpat_{H:32}', 'shpca_{H:32}', 'shppa_{H:32}', 'shpss_{H:32}', 'shpua_{H:32}']],
  ['polar-token', 'Polar token', ['polar_oat_{aA0_-:30-60}', 'polar_pat_{aA0_-:30-60}']],
  [
    'paddle-key',
    'Paddle key',
    ['pdl_live_apikey_{a0:26}_{aA0:22}_{aA0:3}', 'pdl_sdbx_apikey_{a0:26}_{aA0:22}_{aA0:3}'],
  ],
  ['freemius-secret', 'Freemius secret key', ['sk_{aA0!@#$%^&*:29}']],
  ['settlemint-token', 'SettleMint token', ['sm_aat_{aA0:16}', 'sm_pat_{aA0:16}', 'sm_sat_{aA0:16}']],
  ['maxmind-key', 'MaxMind licence key', ['{aA0:6}_{aA0:29}_mmk']],
  [
    'mercado-pago-token',
    'Mercado Pago token',
    ['APP_USR-{0:16}-{0:6}-{h:32}-{0:8-10}', 'TEST-{0:16}-{0:6}-{h:32}-{0:8-10}'],
  ],
  ['sumup-key', 'SumUp secret key', ['sup_sk_{aA0:30-40}']],
  ['xendit-key', 'Xendit secret key', ['xnd_production_{aA0:40-60}', 'xnd_development_{aA0:40-60}']],
  ['midtrans-key', 'Midtrans server key', ['Mid-server-{aA0_-:24}']],
  ['asaas-key', 'Asaas key', ['$aact_prod_{aA0:40-170}', '$aact_hmlg_{aA0:40-170}', '$aact_{aA0=:60-170}']],
  ['aikido-token', 'Aikido CI token', ['AIK_CI_{aA0:64}']],
];
