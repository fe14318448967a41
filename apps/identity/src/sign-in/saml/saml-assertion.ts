import { ASSERTION, BEARER, NAME_ID, TRANSIENT } from './saml-names.js';
import { SamlRefused } from './saml-refused.js';
import type { Awaited } from './saml-response.js';
import { ensureFresh, ensureWithin, momentOf, type SamlClock } from './saml-times.js';
import { childrenOf, onlyChild, plainTextOf, type XmlElement } from './saml-xml.js';

const VALUES_MAX = 2_000;
/** Core section 8.3.7 has 256 for the longest of them. */
const NAME_ID_MAX = 256;

/** What an assertion says of somebody. */
export interface Asserted {
  /** Of the assertion; to be taken once. */
  readonly id: string;
  readonly subject: string;
  /** Values of attributes by their names. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  /** When the person was authenticated, wall milliseconds; of several times the first. */
  readonly authenticatedAtMs: number;
}

/**
 * Reads an assertion whose signature was verified.
 * @param assertion - exactly what the signature covers
 * @throws SamlRefused unless it is by this provider, about one bearer, in answer to this request, for us and for now
 * @see SAML 2.0 Core section 2, Profiles section 4.1.4.3
 */
export function readAssertion(
  assertion: XmlElement,
  awaited: Awaited,
  format: keyof typeof NAME_ID,
  clock: SamlClock,
): Asserted {
  const { attributes } = assertion;
  if (assertion.name !== 'Assertion' || assertion.namespace !== ASSERTION) throw new SamlRefused('assertion');
  const id = attributes.get('ID') ?? '';
  if (attributes.get('Version') !== '2.0' || id === '') throw new SamlRefused('version');
  ensureFresh(attributes.get('IssueInstant'), clock);
  const issuer = onlyChild(assertion, ASSERTION, 'Issuer', 'issuer');
  if (plainTextOf(issuer, 'issuer') !== awaited.entityId) throw new SamlRefused('issuer');
  const subject = onlyChild(assertion, ASSERTION, 'Subject', 'subject');
  ensureBearer(subject, awaited, clock);
  ensureConditions(onlyChild(assertion, ASSERTION, 'Conditions', 'conditions'), awaited, clock);
  const authenticatedAtMs = readAuthentication(assertion, clock);
  const name = readNameId(subject, awaited, format);
  return { id, subject: name, attributes: readAttributes(assertion), authenticatedAtMs };
}

/** @see Core section 2.7.2 */
function readAuthentication(assertion: XmlElement, { nowMs, skewMs }: SamlClock): number {
  const statements = childrenOf(assertion, ASSERTION, 'AuthnStatement');
  const moments = statements.map(({ attributes }) => {
    const atMs = momentOf(attributes.get('AuthnInstant'), 'authentication');
    const end = attributes.get('SessionNotOnOrAfter');
    const isOver = end !== undefined && momentOf(end, 'authentication') <= nowMs - skewMs;
    if (isOver || atMs > nowMs + skewMs) throw new SamlRefused('authentication');
    return atMs;
  });
  if (moments.length === 0) throw new SamlRefused('authentication');
  return Math.min(...moments);
}

/**
 * The name by which a subject is known.
 * @param parent - of its `NameID`
 * @throws SamlRefused for a name that is not of the format, or is another's than the provider's and ours
 */
export function readNameId(
  parent: XmlElement,
  { entityId, ownEntityId }: Pick<Awaited, 'entityId' | 'ownEntityId'>,
  format: keyof typeof NAME_ID,
): string {
  const nameId = onlyChild(parent, ASSERTION, 'NameID', 'name-id');
  const value = plainTextOf(nameId, 'name-id');
  const given = nameId.attributes.get('Format') ?? NAME_ID.unspecified;
  // A transient name is another one each time: whoever has it could not be known again.
  if (given === TRANSIENT || (format !== 'unspecified' && given !== NAME_ID[format])) {
    throw new SamlRefused('name-id-format');
  }
  const isOurs = (nameId.attributes.get('SPNameQualifier') ?? ownEntityId) === ownEntityId;
  if (!isOurs || (nameId.attributes.get('NameQualifier') ?? entityId) !== entityId) throw new SamlRefused('name-id');
  if (value === '' || value.length > NAME_ID_MAX || /[\p{Cc}\p{Cs}]/u.test(value)) throw new SamlRefused('name-id');
  return value;
}

function ensureBearer(subject: XmlElement, awaited: Awaited, clock: SamlClock): void {
  const confirmations = childrenOf(subject, ASSERTION, 'SubjectConfirmation');
  const bearers = confirmations.filter(({ attributes }) => attributes.get('Method') === BEARER);
  if (bearers.length !== 1) throw new SamlRefused('confirmation');
  const { attributes } = onlyChild(bearers[0]!, ASSERTION, 'SubjectConfirmationData', 'confirmation');
  if (attributes.get('Recipient') !== awaited.address) throw new SamlRefused('recipient');
  if (attributes.get('InResponseTo') !== awaited.requestId) throw new SamlRefused('in-response-to');
  if (!attributes.has('NotOnOrAfter')) throw new SamlRefused('confirmation');
  ensureWithin(attributes, clock, 'expired');
}

function ensureConditions(conditions: XmlElement, { ownEntityId }: Awaited, clock: SamlClock): void {
  ensureWithin(conditions.attributes, clock, 'expired');
  // A condition that is not understood is not met (Core section 2.5.1.1).
  const known = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']);
  const isKnown = conditions.children.every(({ name, namespace }) => known.has(name) && namespace === ASSERTION);
  if (!isKnown) throw new SamlRefused('conditions');
  const restrictions = childrenOf(conditions, ASSERTION, 'AudienceRestriction');
  const isForUs = restrictions.every((restriction) =>
    childrenOf(restriction, ASSERTION, 'Audience').some((each) => plainTextOf(each, 'audience') === ownEntityId),
  );
  if (restrictions.length === 0 || !isForUs) throw new SamlRefused('audience');
}

function readAttributes(assertion: XmlElement): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  let left = VALUES_MAX;
  for (const statement of childrenOf(assertion, ASSERTION, 'AttributeStatement')) {
    for (const attribute of childrenOf(statement, ASSERTION, 'Attribute')) {
      const name = attribute.attributes.get('Name') ?? '';
      const values = childrenOf(attribute, ASSERTION, 'AttributeValue')
        // A value that has a structure is none of those that are read here.
        .filter(({ children }) => children.length === 0)
        .map(({ text }) => text.trim())
        .filter((text) => text !== '' && text.length <= 1_024);
      left -= values.length;
      if (left < 0) throw new SamlRefused('attributes');
      // Keycloak can write each group as an attribute of its own.
      found.set(name, [...(found.get(name) ?? []), ...values]);
    }
  }
  return found;
}
