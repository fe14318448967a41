import { isOfPerson, type KeptFields, type KeptKind } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { ConnectionsStore, ConnectionView } from '../connections/connections.store.js';
import { placeOf } from '../connections/provider-place.js';
import type { ProvidersStore } from '../connections/providers.store.js';
import { formOf, isTakenBy, keptOf } from './credential-form.js';
import { FieldsRefused } from './form-field.js';

/** What somebody gives into keeping. */
export interface Keeping {
  readonly provider: string;
  readonly kind: KeptKind;
  /** Whose it is; null of one that everybody shares. */
  readonly principalId: string | null;
  readonly fields: KeptFields;
}

export interface KeptCredentialsParts {
  readonly providers: Pick<ProvidersStore, 'active'>;
  readonly connections: Pick<ConnectionsStore, 'establish'>;
  readonly wallMs: () => number;
}

/**
 * Credentials that are kept as they are: sealed as the tokens of consents are, leased as they are, and gone when their owner
 * is. Nobody is ever shown one again.
 */
export class KeptCredentials {
  constructor(private readonly parts: KeptCredentialsParts) {}

  /** @throws AdminError 404 WDR_PROVIDER_UNKNOWN; 400 WDR_BODY_INVALID for what no call could carry */
  async keep({ provider: id, kind, principalId, fields }: Keeping, by: AdminActor): Promise<ConnectionView> {
    const { providers, connections, wallMs } = this.parts;
    const provider = await providers.active(id);
    const form = formOf(provider);
    if (form === null || !isTakenBy(provider, kind) || isOfPerson(kind) !== (principalId !== null))
      throw invalid(`kind: ${id} has no connections of this kind`);
    try {
      const { text, account, expiresAtMs } = keptOf(form, fields, wallMs());
      const tokens = { accessToken: text, facts: {}, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) };
      return await connections.establish(
        { provider: id, place: placeOf(provider), kind, principalId, account, tokens, facts: {}, scopes: [] },
        by,
      );
    } catch (error) {
      if (error instanceof FieldsRefused) throw invalid(`fields: ${error.message}`);
      throw error;
    }
  }
}

function invalid(what: string): AdminError {
  return new AdminError(400, 'WDR_BODY_INVALID', what);
}
