/**
 * The one scope of access tokens: which tools an agent gets is said by grants of the policy, never by what its token
 * claims.
 */
export const OAUTH_SCOPE = 'mcp';
