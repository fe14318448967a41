import { z } from 'zod';

/**
 * The configured secrets that token digests are made with, by key id. `current` makes new digests; the others are kept
 * until the last token made with them expired. Every service that checks bearers is configured with the same ones.
 */
export const Pepper = z
  .strictObject({
    current: z.string().min(1).max(40),
    keys: z.record(z.string().min(1).max(40), z.string().min(32, 'a pepper has 32 characters or more').max(1_000)),
  })
  .refine((pepper) => pepper.keys[pepper.current] !== undefined, {
    path: ['current'],
    message: 'the current pepper is not among the keys',
  });
export type Pepper = z.infer<typeof Pepper>;
