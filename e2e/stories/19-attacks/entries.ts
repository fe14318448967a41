/**
 * Who is let in where. `admin`: a personal access token, uncut, of somebody with one of the roles. `scim`, `leaks`: a
 * bearer of that door's own. `signals`: that of its sender. `open`: anybody, and what they bring changes nothing. `agents` and `internal` are walked by
 * their messages.
 */
export type Door = 'admin' | 'scim' | 'leaks' | 'signals' | 'open' | 'agents' | 'internal';

/** What is expected at one way in. */
export interface Expectation {
  readonly door: Door;
  /** `*` for whatever a mount answers. */
  readonly method: string;
  readonly path: string;
  readonly roles: readonly string[];
  /** What whoever is let in is answered to an empty question: the status, and the code of an error. */
  readonly answer: string;
}

/** Every mount and every route; what a mount answers below its path has rows of its own. */
const TABLE = `
open     | *      | /healthz                                      |                                |
open     | GET    | /healthz                                      |                                | 200
open     | *      | /readyz                                       |                                |
open     | GET    | /readyz                                       |                                | 200
open     | *      | /metrics                                      |                                |
open     | GET    | /metrics                                      |                                | 200
agents   | *      | /mcp                                          |                                |
internal | *      | /mcp                                          |                                |
open     | *      | /.well-known/oauth-protected-resource         |                                |
open     | GET    | /.well-known/oauth-protected-resource         |                                | 404 WDR_PATH_UNKNOWN
open     | GET    | /.well-known/oauth-protected-resource/mcp/known |                              | 200
open     | GET    | /.well-known/oauth-protected-resource/mcp/none |                               | 200
open     | *      | /.well-known/oauth-authorization-server       |                                |
open     | GET    | /.well-known/oauth-authorization-server       |                                | 200
open     | *      | /.well-known/openid-configuration             |                                |
open     | GET    | /.well-known/openid-configuration             |                                | 200
open     | *      | /oauth                                        |                                |
open     | GET    | /oauth                                        |                                | 404
open     | GET    | /oauth/authorize                              |                                | 400
open     | POST   | /oauth/authorize                              |                                | 404
open     | GET    | /oauth/authorize/anything                     |                                | 400
open     | POST   | /oauth/token                                  |                                | 400 invalid_request
open     | POST   | /oauth/register                               |                                | 400 invalid_redirect_uri
open     | POST   | /oauth/revoke                                 |                                | 400 invalid_request
open     | POST   | /oauth/introspect                             |                                | 400 invalid_request
open     | GET    | /oauth/jwks                                   |                                | 200
open     | GET    | /oauth/sign-out                               |                                | 200
open     | POST   | /oauth/sign-out/confirm                       |                                | 400 invalid_request
open     | GET    | /oauth/userinfo                               |                                | 404
open     | POST   | /oauth/par                                    |                                | 400 invalid_request
open     | GET    | /oauth/device                                 |                                | 404
open     | POST   | /oauth/device/auth                            |                                | 404
open     | POST   | /oauth/backchannel                            |                                | 404
open     | POST   | /oauth/challenge                              |                                | 404
open     | *      | /sign-in                                      |                                |
open     | GET    | /sign-in                                      |                                | 404
open     | GET    | /sign-in/anything                             |                                | 400
open     | POST   | /sign-in/anything                             |                                | 400
open     | GET    | /sign-in/anything/password                    |                                | 400
open     | POST   | /sign-in/anything/password                    |                                | 400
open     | GET    | /sign-in/callback/nobody                      |                                | 404
open     | POST   | /sign-in/backchannel/nobody                   |                                | 404
open     | GET    | /sign-in/new-password/anything                |                                | 404
open     | POST   | /sign-in/new-password/anything                |                                | 404
open     | GET    | /sign-in/metadata/nobody                      |                                | 404
open     | GET    | /sign-in/logout/nobody                        |                                | 404
open     | POST   | /sign-in/logout/nobody                        |                                | 404
open     | *      | /account                                      |                                |
open     | GET    | /account                                      |                                | 303
open     | GET    | /account/anything                             |                                | 303
open     | GET    | /account/tokens/new                           |                                | 303
open     | POST   | /account/tokens/new                           |                                | 401
open     | POST   | /account/sign-out                             |                                | 401
open     | GET    | /account/pass                                 |                                | 303
open     | *      | /approvals                                    |                                |
open     | GET    | /approvals                                    |                                | 303
open     | GET    | /approvals/anything                           |                                | 303
open     | GET    | /approvals/signed-in                          |                                | 401
open     | POST   | /approvals/anything/decision                  |                                | 401
open     | *      | /connections                                  |                                |
open     | GET    | /connections                                  |                                | 303
open     | GET    | /connections/connect/anything                 |                                | 303
open     | GET    | /connections/signed-in                        |                                | 401
open     | GET    | /connections/callback/anything                |                                | 401
open     | GET    | /connections/jwks.json                        |                                | 200
open     | GET    | /connections/clients/anything.json            |                                | 404
open     | POST   | /connections/keep                             |                                | 401
open     | POST   | /connections/connect                          |                                | 401
open     | POST   | /connections/con_anythinganything/disconnect  |                                | 401
open     | *      | /signals                                      |                                |
open     | GET    | /signals                                      |                                | 404 WDR_PATH_UNKNOWN
signals  | POST   | /signals/push/corp                            |                                | 400 invalid_request
open     | POST   | /signals/push/nobody                          |                                | 404 WDR_PATH_UNKNOWN
open     | POST   | /signals/universal-logout/nobody              |                                | 404 WDR_PATH_UNKNOWN
admin    | GET    | /admin/credentials/static                     | admin auditor                  | 200
admin    | PUT    | /admin/credentials/static/:upstream           | admin                          | 400 WDR_BODY_INVALID
admin    | DELETE | /admin/credentials/static/:upstream           | admin                          | 404 WDR_CREDENTIAL_UNKNOWN
admin    | GET    | /admin/credentials/guardrail-providers        | admin auditor                  | 200
admin    | PUT    | /admin/credentials/guardrail-providers/:provider | admin                       | 400 WDR_BODY_INVALID
admin    | DELETE | /admin/credentials/guardrail-providers/:provider | admin                       | 404 WDR_CREDENTIAL_UNKNOWN
admin    | GET    | /admin/credentials/nodes                      | admin auditor                  | 200
admin    | POST   | /admin/credentials/nodes/:node/join-token     | admin                          | 201
admin    | DELETE | /admin/credentials/nodes/:node                | admin                          | 404 WDR_NODE_UNKNOWN
admin    | GET    | /admin/credentials/catalogue                  | admin auditor                  | 200
admin    | GET    | /admin/credentials/providers                  | admin auditor                  | 200
admin    | PUT    | /admin/credentials/providers/:id              | admin                          | 400 WDR_BODY_INVALID
admin    | DELETE | /admin/credentials/providers/:id              | admin                          | 404 WDR_PROVIDER_UNKNOWN
admin    | GET    | /admin/credentials/upstreams                  | admin auditor                  | 200
admin    | PUT    | /admin/credentials/upstreams/:upstream        | admin                          | 400 WDR_BODY_INVALID
admin    | DELETE | /admin/credentials/upstreams/:upstream        | admin                          | 404 WDR_UPSTREAM_AUTH_UNKNOWN
admin    | GET    | /admin/credentials/connections                | admin auditor                  | 200
admin    | GET    | /admin/credentials/connections/:id            | admin auditor                  | 404 WDR_CONNECTION_UNKNOWN
admin    | POST   | /admin/credentials/connections                | admin                          | 400 WDR_BODY_INVALID
admin    | DELETE | /admin/credentials/connections/:id            | admin                          | 404 WDR_CONNECTION_UNKNOWN
admin    | POST   | /admin/credentials/connections/:id/hand-over  | admin                          | 400 WDR_BODY_INVALID
admin    | GET    | /admin/credentials/client-keys                | admin auditor                  | 200
admin    | POST   | /admin/credentials/client-keys/turn           | admin                          | 200
admin    | GET    | /admin/credentials/me/connections             | admin operator auditor member  | 200
admin    | DELETE | /admin/credentials/me/connections/:id         | admin operator auditor member  | 404 WDR_CONNECTION_UNKNOWN
admin    | GET    | /admin/identity/principals                    | admin auditor                  | 200
admin    | GET    | /admin/identity/principals/:id                | admin auditor                  | 404 WDR_PRINCIPAL_UNKNOWN
admin    | GET    | /admin/identity/groups                        | admin auditor                  | 200
admin    | POST   | /admin/identity/principals                    | admin                          | 400 WDR_BODY_INVALID
admin    | PATCH  | /admin/identity/principals/:id                | admin                          | 404 WDR_PRINCIPAL_UNKNOWN
admin    | POST   | /admin/identity/principals/:id/offboard       | admin                          | 404 WDR_PRINCIPAL_UNKNOWN
admin    | DELETE | /admin/identity/principals/:id                | admin                          | 404 WDR_PRINCIPAL_UNKNOWN
admin    | POST   | /admin/identity/principals/:id/password-link  | admin                          | 404 WDR_PRINCIPAL_UNKNOWN
admin    | POST   | /admin/identity/principals/:id/sign-out       | admin                          | 404 WDR_PRINCIPAL_UNKNOWN
admin    | GET    | /admin/identity/principals/:id/clients        | admin auditor                  | 404 WDR_PRINCIPAL_UNKNOWN
admin    | DELETE | /admin/identity/principals/:id/clients/:grant | admin                          | 404 WDR_CLIENT_UNKNOWN
admin    | GET    | /admin/identity/tokens                        | admin auditor                  | 200
admin    | POST   | /admin/identity/tokens                        | admin                          | 400 WDR_BODY_INVALID
admin    | POST   | /admin/identity/tokens/:id/rotate             | admin operator auditor member  | 404 WDR_TOKEN_NOT_FOUND
admin    | DELETE | /admin/identity/tokens/:id                    | admin                          | 404 WDR_TOKEN_NOT_FOUND
admin    | GET    | /admin/identity/me                            | admin operator auditor member  | 200
admin    | GET    | /admin/identity/me/tokens                     | admin operator auditor member  | 200
admin    | POST   | /admin/identity/me/tokens                     | admin operator auditor member  | 400 WDR_BODY_INVALID
admin    | POST   | /admin/identity/me/tokens/:id/rotate          | admin operator auditor member  | 404 WDR_TOKEN_NOT_FOUND
admin    | DELETE | /admin/identity/me/tokens/:id                 | admin operator auditor member  | 404 WDR_TOKEN_NOT_FOUND
admin    | GET    | /admin/identity/me/sessions                   | admin operator auditor member  | 200
admin    | DELETE | /admin/identity/me/sessions                   | admin operator auditor member  | 200
admin    | DELETE | /admin/identity/me/sessions/:session          | admin operator auditor member  | 404 WDR_SESSION_NOT_FOUND
admin    | GET    | /admin/identity/me/clients                    | admin operator auditor member  | 200
admin    | DELETE | /admin/identity/me/clients/:grant             | admin operator auditor member  | 404 WDR_CLIENT_UNKNOWN
admin    | GET    | /admin/identity/principals/:id/sessions       | admin auditor                  | 404 WDR_PRINCIPAL_UNKNOWN
admin    | DELETE | /admin/identity/principals/:id/sessions/:session | admin                       | 404 WDR_PRINCIPAL_UNKNOWN
admin    | GET    | /admin/identity/service-accounts              | admin auditor                  | 200
admin    | GET    | /admin/identity/service-accounts/:id          | admin auditor                  | 404 WDR_SERVICE_ACCOUNT_UNKNOWN
admin    | POST   | /admin/identity/service-accounts              | admin                          | 400 WDR_BODY_INVALID
admin    | PATCH  | /admin/identity/service-accounts/:id          | admin                          | 404 WDR_SERVICE_ACCOUNT_UNKNOWN
admin    | POST   | /admin/identity/service-accounts/:id/secrets  | admin                          | 400 WDR_BODY_INVALID
admin    | PUT    | /admin/identity/service-accounts/:id/keys     | admin                          | 400 WDR_BODY_INVALID
admin    | DELETE | /admin/identity/service-accounts/:id/credentials/:credential | admin           | 404 WDR_SERVICE_ACCOUNT_UNKNOWN
admin    | GET    | /admin/identity/signing-keys                  | admin operator auditor         | 200
admin    | POST   | /admin/identity/signing-keys/rotate           | admin                          | 200
leaks    | POST   | /admin/identity/leaked-tokens                 |                                | 400 WDR_BODY_INVALID
scim     | GET    | /scim/v2/ServiceProviderConfig                |                                | 200
scim     | GET    | /scim/v2/Schemas                              |                                | 200
scim     | GET    | /scim/v2/Schemas/:id                          |                                | 404 WDR_SCIM_RESOURCE_UNKNOWN
scim     | GET    | /scim/v2/ResourceTypes                        |                                | 200
scim     | GET    | /scim/v2/ResourceTypes/:id                    |                                | 404 WDR_SCIM_RESOURCE_UNKNOWN
scim     | GET    | /scim/v2/Users                                |                                | 200
scim     | GET    | /scim/v2/Users/:id                            |                                | 404 WDR_SCIM_RESOURCE_UNKNOWN
scim     | POST   | /scim/v2/Users                                |                                | 400 WDR_BODY_INVALID
scim     | PUT    | /scim/v2/Users/:id                            |                                | 400 WDR_BODY_INVALID
scim     | PATCH  | /scim/v2/Users/:id                            |                                | 400 WDR_BODY_INVALID
scim     | DELETE | /scim/v2/Users/:id                            |                                | 404 WDR_SCIM_RESOURCE_UNKNOWN
scim     | GET    | /scim/v2/Groups                               |                                | 200
scim     | GET    | /scim/v2/Groups/:id                           |                                | 404 WDR_SCIM_RESOURCE_UNKNOWN
scim     | POST   | /scim/v2/Groups                               |                                | 400 WDR_BODY_INVALID
scim     | PUT    | /scim/v2/Groups/:id                           |                                | 400 WDR_BODY_INVALID
scim     | PATCH  | /scim/v2/Groups/:id                           |                                | 400 WDR_BODY_INVALID
scim     | DELETE | /scim/v2/Groups/:id                           |                                | 404 WDR_SCIM_RESOURCE_UNKNOWN
admin    | GET    | /admin/policy                                 | admin auditor                  | 200
admin    | PUT    | /admin/policy                                 | admin                          | 428 WDR_IF_MATCH_REQUIRED
admin    | POST   | /admin/policy/explain                         | admin auditor                  | 400 WDR_BODY_INVALID
admin    | GET    | /admin/policy/upstreams                       | admin auditor                  | 200
admin    | GET    | /admin/policy/virtual-servers                 | admin auditor                  | 200
admin    | GET    | /admin/guardrails/packs                       | admin auditor                  | 200
admin    | GET    | /admin/guardrails/packs/:pack                 | admin auditor                  | 404 WDR_RULE_PACK_UNKNOWN
admin    | PUT    | /admin/guardrails/packs/:pack                 | admin                          | 404 WDR_RULE_PACK_UNKNOWN
admin    | GET    | /admin/guardrails/approvals                   | admin operator auditor member  | 200
admin    | GET    | /admin/guardrails/approvals/:id               | admin operator auditor member  | 404 WDR_APPROVAL_UNKNOWN
admin    | POST   | /admin/guardrails/approvals/:id/decision      | admin operator auditor member  | 400 WDR_BODY_INVALID
admin    | GET    | /admin/guardrails/approval-webhooks           | admin operator auditor         | 200
admin    | GET    | /admin/guardrails/approval-webhooks/:name/dead-letters | admin operator auditor | 404 WDR_APPROVAL_WEBHOOK_UNKNOWN
admin    | POST   | /admin/guardrails/approval-webhooks/:name/dead-letters/:id/retry | admin operator | 404 WDR_APPROVAL_WEBHOOK_UNKNOWN
admin    | POST   | /admin/guardrails/approval-webhooks/:name/test | admin operator                | 404 WDR_APPROVAL_WEBHOOK_UNKNOWN
admin    | GET    | /admin/guardrails/definitions                  | admin auditor                  | 200
admin    | GET    | /admin/guardrails/definitions/:upstream        | admin auditor                  | 404 WDR_DEFINITION_UNKNOWN
admin    | GET    | /admin/guardrails/definitions/:upstream/tool   | admin auditor                  | 404 WDR_DEFINITION_UNKNOWN
admin    | POST   | /admin/guardrails/definitions/:upstream/accept | admin                          | 400 WDR_BODY_INVALID
admin    | POST   | /admin/guardrails/definitions/:upstream/reject | admin                          | 400 WDR_BODY_INVALID
admin    | POST   | /admin/guardrails/check                       | admin auditor                  | 400 WDR_BODY_INVALID
admin    | GET    | /admin/guardrails/actions                     | admin auditor                  | 200
admin    | PUT    | /admin/guardrails/actions                     | admin                          | 428 WDR_IF_MATCH_REQUIRED
admin    | GET    | /admin/guardrails/custom                      | admin auditor                  | 200
admin    | PUT    | /admin/guardrails/custom                      | admin                          | 428 WDR_IF_MATCH_REQUIRED
admin    | GET    | /admin/audit/calls                            | auditor                        | 200
admin    | GET    | /admin/audit/calls/:recordId                  | auditor                        | 404 WDR_RECORD_UNKNOWN
admin    | GET    | /admin/audit/calls/:recordId/proof            | auditor                        | 404 WDR_RECORD_UNKNOWN
admin    | GET    | /admin/audit/who-used                         | auditor                        | 200
admin    | GET    | /admin/audit/quarantine                       | auditor                        | 200
admin    | GET    | /admin/audit/checkpoints                      | auditor                        | 200
admin    | GET    | /admin/audit/bundle                           | auditor                        | 400 WDR_BODY_INVALID
admin    | GET    | /admin/audit/export                           | auditor                        | 200
admin    | GET    | /admin/audit/exporters                        | admin operator auditor         | 200
admin    | POST   | /admin/audit/exporters/:name/rewind           | admin operator                 | 400 WDR_BODY_INVALID
admin    | GET    | /admin/audit/holds                            | admin auditor                  | 200
admin    | POST   | /admin/audit/holds                            | admin                          | 400 WDR_BODY_INVALID
admin    | POST   | /admin/audit/holds/:id/release                | admin                          | 404 WDR_HOLD_UNKNOWN
admin    | GET    | /admin/audit/erasures                         | admin auditor                  | 200
admin    | POST   | /admin/audit/erasures                         | admin                          | 400 WDR_BODY_INVALID
admin    | GET    | /admin/audit/archive                          | admin auditor                  | 200
`;

export const ENTRIES: readonly Expectation[] = TABLE.trim()
  .split('\n')
  .map((row) => {
    const [door = '', method = '', path = '', roles = '', answer = ''] = row.split('|').map((cell) => cell.trim());
    return { door: door as Door, method, path, roles: roles === '' ? [] : roles.split(/ +/), answer };
  });
