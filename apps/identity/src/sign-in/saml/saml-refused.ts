/** Why a SAML message was not taken: one word, for the record. Nothing that the message says is in it. */
export class SamlRefused extends Error {
  override readonly name = 'SamlRefused';
  readonly code: string;

  constructor(why: string) {
    super(`saml.${why}`);
    this.code = `saml.${why}`;
  }
}
