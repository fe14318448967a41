import { z } from 'zod';

const Words = z.string().trim().min(1).max(1_000);
/** Id of a principal, as records name it. */
const Subject = z.string().min(1).max(320);

/** Body of `POST /admin/audit/holds`: what must not be deleted until the hold is released. */
export const PlaceLegalHold = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    reason: Words,
    /** Id of the one principal whose records are held; of every one if absent. */
    subject: Subject.optional(),
    /** UTC days, both inclusive; without an end if absent. */
    fromDay: z.iso.date().optional(),
    toDay: z.iso.date().optional(),
  })
  .refine(({ fromDay, toDay }) => fromDay === undefined || toDay === undefined || fromDay <= toDay, {
    message: 'fromDay is behind toDay',
    path: ['toDay'],
  });
export type PlaceLegalHold = z.infer<typeof PlaceLegalHold>;

/** Body of `POST /admin/audit/erasures`: whose personal bytes are deleted from every record. */
export const RequestErasure = z.strictObject({ subject: Subject, reason: Words });
export type RequestErasure = z.infer<typeof RequestErasure>;
