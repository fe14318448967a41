export { authorizationUrl, type Consent, isAnswerOf, issuerOf, scopesOf } from './authorization-request.js';
export { accountOf, accountRequest, credentialHeaders, type ProviderAccount, readAccount } from './account.js';
export { type ProviderStep, stepAfterConsent } from './hooks/provider-hooks.js';
export { readChallenge, type UpstreamChallenge } from './discovery/challenge.js';
export {
  clientDocument,
  type DocumentProof,
  documentProof,
  type OurClient,
  readRegistration,
  type RegisteredClient,
  REGISTRATION_ORDER,
  registrationRequest,
  type RegistrationWay,
  registrationWay,
} from './discovery/client-registration.js';
export { type DiscoveredProvider, discoveredProvider, issuerKey } from './discovery/discovered-provider.js';
export { DiscoveryRefused } from './discovery/discovery-refused.js';
export { readResourceMetadata, type ResourceMetadata, resourceMetadataUrls } from './discovery/resource-metadata.js';
export { readServerMetadata, type ServerMetadata, serverMetadataUrls } from './discovery/server-metadata.js';
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
  exchangeRequest,
  refreshRequest,
  type TokenExchange,
} from './token-request.js';
export { type NamedUrl, ParameterRefused, parameterValues, renderText, renderUrl } from './url-template.js';
