/**
 * A record's place, null where its text says none: it is what came, and a cast of anything would fail the whole question.
 * `CASE`, for Postgres keeps to no order of conditions.
 */
export const RECORD_INDEX = `(CASE WHEN record->>'index' ~ '^[0-9]{1,15}$' THEN (record->>'index')::bigint END)`;
