import type { PutProvider } from '@warder/contracts';
import { ParameterRefused, parameterValues, type ProviderEntry } from '@warder/provider-catalog';
import { invalid } from './provider-fits.store.js';

/** @throws AdminError 400 WDR_BODY_INVALID for what an entry of the catalogue does not take */
export function ensureTaken(
  entry: ProviderEntry | undefined,
  { entry: name, parameters, clientSecret, authentication, assertion }: PutProvider,
): void {
  if (entry === undefined) throw invalid(`entry: the catalogue has no ${name}`);
  try {
    parameterValues(entry, parameters);
  } catch (error) {
    if (error instanceof ParameterRefused) throw invalid(`parameters: ${error.message}`);
    throw error;
  }
  const { authentication: methods } = entry.token;
  if (clientSecret !== undefined && !methods.some((method) => method.startsWith('client_secret_')))
    throw invalid('clientSecret: this provider takes none');
  if (authentication !== undefined && !methods.includes(authentication))
    throw invalid('authentication: this provider does not take it');
  if (clientSecret !== undefined && authentication?.startsWith('client_secret_') === false)
    throw invalid('clientSecret: this authentication needs none');
  if (assertion !== undefined && authentication !== 'private_key_jwt')
    throw invalid('assertion: of private_key_jwt only');
}
