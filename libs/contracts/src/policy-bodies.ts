import { z } from 'zod';
import { Name } from './policy-names.js';

/** Body of `POST /admin/policy/explain`: may this principal call this tool, and why? */
export const ExplainRequest = z.strictObject({
  /** Id, or e-mail address. */
  principal: z.string().min(1).max(320),
  /** Without one, only the grants are asked, on a canonical name. */
  virtualServer: Name.optional(),
  /** Exposed name in the virtual server, or canonical `upstream/tool`. */
  tool: z.string().min(1).max(300),
  /** A token of the principal, whose scopes cut. */
  tokenId: z.string().min(1).max(100).optional(),
});
export type ExplainRequest = z.infer<typeof ExplainRequest>;
