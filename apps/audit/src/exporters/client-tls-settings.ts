import { z } from 'zod';

/** The client's side of mutual TLS, 1.2 and up. The receiver's name is checked, always. */
export const ClientTlsSettings = z.strictObject({
  /** PEM: the authorities that may have signed the receiver's certificate. The system's are not asked. */
  caFile: z.string().min(1),
  /** PEM, with its chain: what the receiver knows us by. */
  certificateFile: z.string().min(1),
  /** PEM. */
  keyFile: z.string().min(1),
  /** The name that the receiver's certificate must hold; the host where not given. */
  serverName: z.string().min(1).optional(),
});
export type ClientTlsSettings = z.infer<typeof ClientTlsSettings>;
