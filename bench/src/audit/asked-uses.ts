import type { AuditService } from './audit-scene.js';
import type { UseLine } from './compared-uses.js';

/** A line with the records that are told as its examples. */
export interface AnsweredUse extends UseLine {
  readonly samples: readonly {
    readonly recordId: string;
    readonly occurredAtMs: number;
    readonly arguments: unknown;
  }[];
}

interface UsesPage {
  readonly from: string;
  readonly uses: readonly AnsweredUse[];
  readonly nextCursor: string | null;
}

/** Asks one service, as an auditor, who used one upstream in the last 30 days. */
export class UsesQuestion {
  constructor(
    private readonly service: AuditService,
    private readonly bearer: string,
    private readonly filters: Readonly<Record<string, string>>,
  ) {}

  /** @returns milliseconds until the page was read */
  async timed(): Promise<number> {
    const from = performance.now();
    await this.page({});
    return performance.now() - from;
  }

  /** The same question of the same service, with other filters beside these. */
  of(more: Readonly<Record<string, string>>): UsesQuestion {
    return new UsesQuestion(this.service, this.bearer, { ...this.filters, ...more });
  }

  /** The first page of so many lines. */
  async first(lines: number): Promise<{ readonly fromDay: string; readonly uses: readonly AnsweredUse[] }> {
    const { from, uses } = await this.page({ limit: String(lines) });
    return { fromDay: from.slice(0, 10), uses };
  }

  /** All lines, by walking the pages to the end. */
  async all(): Promise<{ readonly fromDay: string; readonly uses: AnsweredUse[]; readonly pages: number }> {
    const uses: AnsweredUse[] = [];
    let cursor: string | null = null;
    for (let pages = 1; ; pages++) {
      const page: UsesPage = await this.page({ limit: '1000', ...(cursor !== null && { cursor }) });
      uses.push(...page.uses);
      cursor = page.nextCursor;
      if (cursor === null) return { fromDay: page.from.slice(0, 10), uses, pages };
    }
  }

  private async page(more: Record<string, string>): Promise<UsesPage> {
    const query = new URLSearchParams({ days: '30', ...this.filters, ...more });
    const answer = await fetch(`${this.service.url}/admin/audit/who-used?${query.toString()}`, {
      headers: { authorization: `Bearer ${this.bearer}` },
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`who-used answers ${answer.status}: ${text.slice(0, 200)}`);
    return JSON.parse(text) as UsesPage;
  }
}
