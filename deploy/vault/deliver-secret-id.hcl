# What delivers the credentials service's secret id may do: have a new one made, wrapped for at most two minutes. It never
# sees the secret id itself, and unwrapping it first is noticed by the service.
path "auth/approle/role/warder-credentials/secret-id" {
  capabilities     = ["update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "2m"
}
path "auth/approle/role/warder-credentials/role-id" {
  capabilities = ["read"]
}
