import type { Identified } from '@warder/tokens';
import { harmless } from './harmless.js';
import { maskedText } from './masking.js';
import { newRecordId } from './record-id.js';
import { countedRefusalText } from './record-text.js';

export interface RefusalCounterBounds {
  /** Milliseconds of one window. */
  readonly windowMs: number;
  /** Distinct (code, address, token) of a window that get a record of their own; the rest is counted by code alone. */
  readonly recordsPerWindowMax: number;
}

interface Counted {
  readonly firstAtMs: number;
  readonly code: string;
  readonly address: string;
  readonly detail: string;
  readonly holder: Identified | undefined;
  count: number;
}

/** Where an address stands when a window had too many of them. */
export const MANY_ADDRESSES = 'many';

const AUTHENTICATION_CODES: ReadonlySet<string> = new Set([
  'WDR_TOKEN_MISSING',
  'WDR_TOKEN_UNKNOWN',
  'WDR_IDENTITY_STALE',
  'WDR_ADDRESS_LIMITED',
  'WDR_MESSAGE_REFUSED',
]);

/**
 * Refusals before anyone was identified: counted per (code, address), and token where it is known, and written as one record per window, so that a
 * flood of strangers can neither fill the journal nor make a call wait.
 */
export class RefusalCounter {
  private counted = new Map<string, Counted>();
  private readonly nodeJson: string;

  constructor(
    node: string,
    private readonly bounds: RefusalCounterBounds,
    private readonly wallMs: () => number,
    private readonly append: (record: string) => Promise<unknown>,
    /** Called for those whose record was not taken. */
    private readonly onLost: (code: string, count: number) => void,
  ) {
    this.nodeJson = JSON.stringify(node);
  }

  /** Counts one. `detail` of the first of a window stands in the record; `holder` is whose token was not accepted. */
  count(code: string, address: string, detail: string, holder?: Identified): void {
    const key = holder === undefined ? `${code} ${address}` : `${code} ${address} ${holder.token.id}`;
    const known = this.counted.get(key);
    if (known) {
      known.count += 1;
      return;
    }
    if (this.counted.size >= this.bounds.recordsPerWindowMax && address !== MANY_ADDRESSES) {
      return this.count(code, MANY_ADDRESSES, 'from more addresses than a window records one by one');
    }
    this.counted.set(key, { firstAtMs: this.wallMs(), code, address, detail, holder, count: 1 });
  }

  /** Ends the window: hands one record of each to the journal. */
  async flush(): Promise<void> {
    const ended = this.counted;
    this.counted = new Map();
    await Promise.all([...ended.values()].map((each) => this.write(each)));
  }

  private async write(counted: Counted): Promise<void> {
    const { code, address, detail, holder, count, firstAtMs } = counted;
    const text = countedRefusalText({
      recordId: newRecordId(firstAtMs),
      occurredAtMs: firstAtMs,
      nodeJson: this.nodeJson,
      isAuthentication: AUTHENTICATION_CODES.has(code),
      code,
      address,
      // It may quote a header, and a stranger writes there what he likes.
      detail: maskedText(detail),
      holder,
      count,
    });
    await this.append(harmless(text)).catch(() => this.onLost(code, count));
  }
}
