/** What an upstream or its authorization server says of itself, and cannot be taken at its word. */
export class DiscoveryRefused extends Error {
  override readonly name = 'DiscoveryRefused';
}
