# What the credentials service may do in Vault or OpenBao, and nothing else. Mounts, key and prefix are the defaults of
# `secrets.vault` in docs/configuration.md; a role with it needs no default policy (token_no_default_policy=true).

# Data keys for values that stand sealed in Postgres. It may neither read the key that wraps them, nor turn it, nor have
# anything but data keys encrypted by it.
path "transit/datakey/plaintext/warder" {
  capabilities = ["update"]
}
path "transit/decrypt/warder" {
  capabilities = ["update"]
}
path "transit/rewrap/warder" {
  capabilities = ["update"]
}

# Named secrets. Removing the metadata removes every version.
path "kv/data/warder/*" {
  capabilities = ["create", "read", "update"]
}
path "kv/metadata/warder/*" {
  capabilities = ["read", "list", "delete"]
}

# Its own token.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
