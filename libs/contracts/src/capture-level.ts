import { z } from 'zod';

/**
 * How much of arguments and result a record keeps: nothing, their length, their hash beside it, the arguments whole and
 * the hash of the result, or both whole.
 */
export const CaptureLevel = z.enum(['none', 'metadata', 'hashes', 'request', 'full']);
export type CaptureLevel = z.infer<typeof CaptureLevel>;
