import { z } from 'zod';

/** Names one question to people about one call; it is no secret, and opens nothing by itself. */
export const ApprovalId = z.string().regex(/^apr_[\w-]{16}$/);
