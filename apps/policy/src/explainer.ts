import { foldEmail } from '@warder/access';
import type { ExplainRequest, PrincipalState, TokenState } from '@warder/contracts';
import { AdminError } from '@warder/service-host';
import type { DiscoveredTools } from './discovered-tools.js';
import { explain, type Explained, type Explanation } from './explain.js';
import type { StoredPolicy } from './policy.store.js';

/** The part of the principal directory that an explanation needs. */
export interface Principals {
  principalById(id: string): PrincipalState | undefined;
  allPrincipals(): Iterable<PrincipalState>;
  tokenById(id: string): TokenState | undefined;
}

/** Finds who and what an explanation is about, and asks. */
export class Explainer {
  constructor(
    private readonly current: () => Promise<StoredPolicy>,
    private readonly discovered: DiscoveredTools,
    private readonly principals: Principals,
    private readonly wallMs: () => number,
  ) {}

  /**
   * @throws AdminError 404 WDR_PRINCIPAL_UNKNOWN, WDR_TOKEN_NOT_FOUND for a token that is not the principal's,
   * WDR_VIRTUAL_SERVER_UNKNOWN
   */
  async explain(request: ExplainRequest): Promise<Explanation> {
    const { policy, catalog } = this.discovered.under(await this.current());
    if (request.virtualServer !== undefined && !catalog.hasVirtualServer(request.virtualServer))
      throw new AdminError(404, 'WDR_VIRTUAL_SERVER_UNKNOWN', `no virtual server ${request.virtualServer}`);
    return explain(request, this.callerOf(request), { policy, catalog, nowMs: this.wallMs() });
  }

  private callerOf({ principal: name, tokenId }: ExplainRequest): Explained {
    const principal = this.principals.principalById(name) ?? this.byEmail(name);
    if (!principal) throw new AdminError(404, 'WDR_PRINCIPAL_UNKNOWN', 'no principal has this id or e-mail address');
    if (tokenId === undefined) return { principal, token: null };
    const token = this.principals.tokenById(tokenId);
    if (token?.principalId !== principal.id)
      throw new AdminError(404, 'WDR_TOKEN_NOT_FOUND', `${principal.id} has no token ${tokenId}`);
    return { principal, token };
  }

  // A removed principal may have left its address to another: who is active comes first.
  private byEmail(address: string): PrincipalState | undefined {
    const email = foldEmail(address);
    const found = [...this.principals.allPrincipals()].filter(
      (each) => each.email !== null && foldEmail(each.email) === email,
    );
    return found.find((each) => each.status === 'active') ?? found[0];
  }
}
