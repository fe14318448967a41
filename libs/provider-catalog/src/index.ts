export { type Consent, authorizationUrl, scopesOf } from './authorization-request.js';
export { accountOf, accountRequest, credentialHeaders, type ProviderAccount, readAccount } from './account.js';
export { type ProviderStep, stepAfterConsent } from './hooks/provider-hooks.js';
export { parseProvider, ProviderEntryRefused } from './parse-provider.js';
export {
  ClientAuthenticationMethod,
  ProviderEntry,
  ProviderGrant,
  ProviderHook,
  ProviderParameter,
} from './provider-entry.js';
export { type ProviderClientAuthentication, type ProviderRequest, type ProviderSetup } from './provider-setup.js';
export { type HeldTokens, isRevoked, revocationRequests } from './revocation-request.js';
export { type GrantedTokens, readTokenAnswer, type TokenAnswer, type TokenFailure } from './token-answer.js';
export {
  clientCredentialsRequest,
  codeRequest,
  onBehalfOfRequest,
  refreshRequest,
  tokenExchangeRequest,
} from './token-request.js';
export { type NamedUrl, ParameterRefused, parameterValues, renderUrl } from './url-template.js';
