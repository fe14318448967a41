import type { Call } from '../pipeline/call.js';
import { maskedText } from './masking.js';

const CLAIMS_MAX = 1_000;
/** UTF-16 units of a claim that is remembered; longer ones are looked at each time. */
const REMEMBERED_MAX = 512;

type Claim = NonNullable<Call['claimed']>;

/** What clients call themselves, without what is secret in it: a client comes again and again under the same name. */
export class MaskedClaims {
  private readonly known = new Map<string, Claim | undefined>();

  /** The call itself where its claim is clean. */
  masked(call: Call): Call {
    if (call.claimed === null) return call;
    const claimed = this.replacementOf(call.claimed);
    return claimed === undefined ? call : { ...call, claimed };
  }

  private replacementOf(claim: Claim): Claim | undefined {
    const key = `${claim.name}\n${claim.version}`;
    if (this.known.has(key)) return this.known.get(key);
    const masked = { name: maskedText(claim.name), version: maskedText(claim.version) };
    const isClean = masked.name === claim.name && masked.version === claim.version;
    const replacement = isClean ? undefined : masked;
    if (key.length > REMEMBERED_MAX) return replacement;
    if (this.known.size >= CLAIMS_MAX) this.known.clear();
    this.known.set(key, replacement);
    return replacement;
  }
}
