import { storeAnswerOf } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { errors } from 'oidc-provider';

/**
 * Runs what asks the database for a client of OAuth.
 * @throws TemporarilyUnavailable (503) where it is away; InvalidRequest, or InvalidClientMetadata in a registration,
 * where it holds no such text; anything else without the statement's parameters
 */
export async function toldToClient<T>(work: () => Promise<T>, isRegistration = false): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const told = storeAnswerOf(error);
    if (!(told instanceof AdminError)) throw told;
    if (told.status === 503) throw Object.assign(new errors.TemporarilyUnavailable(told.message), UNAVAILABLE);
    throw isRegistration ? new errors.InvalidClientMetadata(told.message) : new errors.InvalidRequest(told.message);
  }
}

const UNAVAILABLE = { status: 503, statusCode: 503 };
