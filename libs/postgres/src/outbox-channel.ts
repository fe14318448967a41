/** Notifications of new rows; the payload is `<schema> <topic>`. */
export const OUTBOX_CHANNEL = 'warder_outbox';
