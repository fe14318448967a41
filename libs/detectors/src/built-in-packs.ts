import type { Detector } from './detector.js';
import { ASIDE_DETECTORS } from './injection/asides.js';
import { CONCEALED_DETECTORS } from './injection/concealed.js';
import { EXFILTRATION_DETECTORS } from './injection/exfiltration.js';
import { FORGERY_DETECTORS } from './injection/forgery.js';
import { LANGUAGE_DETECTORS } from './injection/languages.js';
import { ORDER_DETECTORS } from './injection/orders.js';
import { POISONED_ARGUMENT_DETECTORS } from './injection/poisoned-arguments.js';
import { POISONED_CHOICE_DETECTORS } from './injection/poisoned-choice.js';
import { POISONED_CONDUCT_DETECTORS } from './injection/poisoned-conduct.js';
import { POISONING_DETECTORS } from './injection/poisoning.js';
import { SIGN_DETECTORS } from './injection/signs.js';
import { TRANSLATED_DETECTORS } from './injection/translated.js';
import { HIDDEN_DETECTORS } from './hidden/invisible.js';
import { BANK_ACCOUNT } from './pii/bank-account.js';
import { PII_BY_CONTEXT } from './pii/by-context.js';
import { EMAIL } from './pii/email.js';
import { LETTERED_NUMBERS } from './pii/lettered-numbers.js';
import { NATIONAL_NUMBERS } from './pii/national-numbers.js';
import { IPV4, IPV6, MAC_ADDRESS } from './pii/network-address.js';
import { CARD } from './pii/payment-card.js';
import { INTERNATIONAL_PHONE, NATIONAL_PHONE, PAIRED_PHONES } from './pii/phone-number.js';
import { WALLET } from './pii/wallet.js';
import { ARGUMENT_RISK_DETECTORS } from './risks/argument-risks.js';
import { ASSIGNED_SECRETS } from './secrets/assigned-secret.js';
import { AI_FORMATS } from './secrets/ai-keys.js';
import { CLOUD_FORMATS } from './secrets/cloud-keys.js';
import { CODE_FORMATS } from './secrets/code-keys.js';
import { CREDENTIALS_IN_PLACE } from './secrets/credential-in-place.js';
import { issuedKeys } from './secrets/issued-key.js';
import { KNOWN_SECRETS } from './secrets/known-secrets.js';
import { MESSAGE_FORMATS } from './secrets/message-keys.js';
import { namedKeys } from './secrets/named-key.js';
import { NAMED_SECRETS } from './secrets/named-keys.js';
import { OBSERVE_FORMATS } from './secrets/observe-keys.js';
import { PAYMENT_FORMATS } from './secrets/payment-keys.js';

const PACKS = {
  secrets: [
    ...KNOWN_SECRETS,
    ...[CLOUD_FORMATS, CODE_FORMATS, AI_FORMATS, PAYMENT_FORMATS, MESSAGE_FORMATS, OBSERVE_FORMATS].flatMap(issuedKeys),
    ...CREDENTIALS_IN_PLACE,
    ...namedKeys(NAMED_SECRETS),
    ...ASSIGNED_SECRETS,
  ],
  pii: [
    EMAIL,
    CARD,
    BANK_ACCOUNT,
    ...LETTERED_NUMBERS,
    ...NATIONAL_NUMBERS,
    ...PII_BY_CONTEXT,
    INTERNATIONAL_PHONE,
    NATIONAL_PHONE,
    ...PAIRED_PHONES,
    WALLET,
    IPV4,
    IPV6,
    MAC_ADDRESS,
  ],
  injection: [
    ...ORDER_DETECTORS,
    ...SIGN_DETECTORS,
    ...FORGERY_DETECTORS,
    ...EXFILTRATION_DETECTORS,
    ...CONCEALED_DETECTORS,
    ...LANGUAGE_DETECTORS,
    ...TRANSLATED_DETECTORS,
    ...ASIDE_DETECTORS,
    ...POISONING_DETECTORS,
    ...POISONED_ARGUMENT_DETECTORS,
    ...POISONED_CHOICE_DETECTORS,
    ...POISONED_CONDUCT_DETECTORS,
    ...ARGUMENT_RISK_DETECTORS,
  ],
  hidden: HIDDEN_DETECTORS,
} as const satisfies Record<string, readonly Detector[]>;

/** Names of the packs that come with the program. */
export type BuiltInPack = keyof typeof PACKS;

/** Every built-in pack with the ids of its detectors, all of which are on unless an administrator says otherwise. */
export const BUILT_IN_PACKS: Readonly<Record<BuiltInPack, readonly string[]>> = {
  secrets: PACKS.secrets.map(({ id }) => id),
  pii: PACKS.pii.map(({ id }) => id),
  injection: PACKS.injection.map(({ id }) => id),
  hidden: PACKS.hidden.map(({ id }) => id),
};

/** Every detector of this build by its id. */
export const DETECTORS: ReadonlyMap<string, Detector> = new Map(
  Object.values(PACKS)
    .flat()
    .map((detector: Detector) => [detector.id, detector]),
);
