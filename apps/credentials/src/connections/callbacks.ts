/** Below it every provider has an address of its own. */
const CALLBACK_PATH = '/connections/callback';

/**
 * Where providers send browsers back to: each to an address of its own. What comes there is an answer of that provider, or
 * one that another had sent there, and then its state is of the other one: a provider that sends its visitors on to another
 * (a mix-up, RFC 9700 section 4.4.2) is found out before a code goes anywhere.
 */
export class Callbacks {
  constructor(private readonly publicUrl: () => URL) {}

  /** The address that is registered at the provider. */
  urlOf({ id }: { readonly id: string }): string {
    return new URL(`${CALLBACK_PATH}/${id}`, this.publicUrl()).href;
  }
}
