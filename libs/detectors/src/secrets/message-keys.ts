import type { SecretFormat } from './issued-key.js';

/** Keys with a fixed beginning, middle or end that their issuers document. */
export const MESSAGE_FORMATS: readonly SecretFormat[] = [
  ['sendgrid-key', 'SendGrid key', ['SG.{aA0_-:22}.{aA0_-:43}']],
  ['mailgun-key', 'Mailgun key', ['key-{h:32}', 'pubkey-{h:32}']],
  ['mailchimp-key', 'Mailchimp key', ['{h:32}-us{0:1-2}']],
  ['mailersend-key', 'MailerSend key', ['mlsn.{h:64}']],
  ['brevo-key', 'Brevo (Sendinblue) key', ['xkeysib-{h:64}-{aA0:16}', 'xsmtpsib-{h:64}-{aA0:16}']],
  ['resend-key', 'Resend key', ['re_{aA0:8}_{aA0:24}']],
  ['telegram-bot-token', 'Telegram bot token', ['{0:8-10}:AA{aA0_-:33}']],
  [
    'discord-webhook',
    'Discord webhook',
    ['discord.com/api/webhooks/{0:17-20}/{aA0_-:60-80}', 'discordapp.com/api/webhooks/{0:17-20}/{aA0_-:60-80}'],
  ],
  [
    'teams-webhook',
    'Microsoft Teams webhook',
    [
      'webhook.office.com/webhookb2/{a0:8}-{a0:4}-{a0:4}-{a0:4}-{a0:12}@{a0:8}-{a0:4}-{a0:4}-{a0:4}-{a0:12}/IncomingWebhook/{a0:32}/{a0:8}-{a0:4}-{a0:4}-{a0:4}-{a0:12}',
    ],
  ],
  [
    'google-chat-webhook',
    'Google Chat webhook',
    ['chat.googleapis.com/v1/spaces/{aA0_-:8-16}/messages?key={aA0_-:39}&token={aA0_=%-:40-60}'],
  ],
  [
    'facebook-token',
    'Facebook access token',
    ['EAAM{aA0:100-300}', 'EAAC{aA0:100-300}', 'EAAB{aA0:100-300}', 'EAAG{aA0:100-300}'],
  ],
  ['instagram-token', 'Instagram token', ['IGQV{aA0_-:100-250}', 'IGQW{aA0_-:100-250}']],
  ['linkedin-token', 'LinkedIn token', ['AQX{aA0_-:90-400}', 'WPL_AP1.{aA0:16}.{aA0+/=:8-12}']],
  ['twitter-bearer', 'X (Twitter) bearer token', ['AAAAAAAAAAAAAAAAAAAAA{aA0%:80-100}']],
  ['twitch-token', 'Twitch token', ['oauth:{a0:30}']],
  ['intercom-token', 'Intercom token', ['dG9r{aA0+/=:50-60}']],
  [
    'hubspot-token',
    'HubSpot private app token',
    [
      'pat-na1-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}',
      'pat-eu1-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}',
      'pat-na2-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}',
    ],
  ],
  ['klaviyo-key', 'Klaviyo private key', ['pk_{h:34}']],
  ['onesignal-key', 'OneSignal key', ['os_v2_app_{a0:80-110}', 'os_v2_org_{a0:80-110}']],
  ['pubnub-key', 'PubNub secret key', ['sec-c-{aA0:48}']],
  ['knock-key', 'Knock secret key', ['sk_knock_{aA0_-:30-50}']],
  ['salesforce-token', 'Salesforce session', ['00D{aA0:12-15}!{aA0_.:80-150}']],
  ['zapier-hook', 'Zapier catch hook', ['hooks.zapier.com/hooks/catch/{0:5-9}/{a0:6-8}']],
  ['pagerduty-token', 'PagerDuty REST key', ['pdus+_{aA0_-:20-40}']],
  ['slack-config-token', 'Slack configuration token', ['xoxe-1-{aA0-:140-170}']],
  [
    'slack-webhook-path',
    'Slack webhook',
    [
      'https://hooks.slack.com/services/T{A0:8-12}/B{A0:8-12}/{aA0:24}',
      'hooks.slack.com/services/T{A0:8-12}/B{A0:8-12}/{aA0:24}',
    ],
  ],
];
