/** Grants of the token endpoint for programs, with no person in front of a browser. */
export const AGENT_GRANTS = {
  /** RFC 6749 section 4.4 */
  clientCredentials: 'client_credentials',
  /** RFC 8693 */
  tokenExchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  /** RFC 7523 section 2.1, by which an ID-JAG comes */
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
} as const;
