export {
  ACCESS_TOKEN_BOUNDS,
  type AccessRefused,
  type AccessTokenBounds,
  AccessTokens,
  type Actor,
  actorsOf,
  type ClientGrant,
} from './access-tokens.js';
export { Callers, type Credential, isClientGrant } from './callers.js';
export { onBehalfBearer, principalOfBearer } from './on-behalf-bearer.js';
export {
  DIRECTORY_BOUNDS,
  type DirectoryBounds,
  generationOf,
  type Identified,
  type Peppers,
  PrincipalDirectory,
  type Revoked,
  type Unidentified,
} from './principal-directory.js';
export { AddressScope } from './address-scope.js';
export {
  type AccessClaims,
  type ActClaim,
  ACTORS_MAX,
  type ActorKind,
  type BadToken,
  type GivenFor,
  readSignedToken,
} from './signed-token.js';
export { isForAgents } from './token-scopes.js';
export { digestOf } from './token-digest.js';
export { TRUSTED_TOKEN_CHARS_MAX, TrustedTokens } from './trusted-tokens.js';
export { TokenUses, type TokenUsesBounds } from './token-uses.js';
export { isWellFormed, issueToken, SECRET_PREFIX } from './token-text.js';
export { exactHashes } from './exact-hashes.js';
