/**
 * The one scope of access tokens: which tools an agent gets is said by grants of the policy, never by what its token
 * claims.
 */
export const OAUTH_SCOPE = 'mcp';

/** The scope of access tokens for the admin doors; what its person may do there is said by their roles. */
export const ADMIN_SCOPE = 'admin';
/** Path of the admin doors under the public origin: with it, the audience of tokens for them (RFC 8707). */
export const ADMIN_PATH = '/admin';
