import { isBareUrl } from '@warder/egress';
import { z } from 'zod';
import { ExportFormat } from './exporter-settings.js';

/** The formats that are JSON objects. */
export const JsonFormat = ExportFormat.extract(['ocsf', 'ecs', 'record']);
export type JsonFormat = z.infer<typeof JsonFormat>;

/** A receiver's address without anything secret in it, for addresses are shown in errors and states. */
const ReceiverUrl = z.url({ protocol: /^https?$/ }).refine(isBareUrl, 'has no user, password, query or fragment');

/**
 * The keys of every exporter that posts. The address is the operator's own word in the node's own file, so a private
 * one is dialled unless `allowPrivateAddress: false` says that the name is meant to be a public one.
 */
export const httpSettings = {
  format: JsonFormat.default('ocsf'),
  url: ReceiverUrl,
  /** PEM: the authorities that may have signed the receiver's certificate, in place of the system's. */
  caFile: z.string().min(1).optional(),
  allowPrivateAddress: z.boolean().default(true),
  /** Plain http to another machine: records and secrets can then be read on the way. */
  allowPlainHttp: z.boolean().default(false),
  /** Bodies are sent with `Content-Encoding: gzip`. */
  gzip: z.boolean().default(false),
  connectTimeoutMs: z.int().min(100).max(600_000).default(10_000),
  /** Milliseconds from one request to the last byte of its answer. */
  requestTimeoutMs: z.int().min(100).max(600_000).default(15_000),
  /** Bytes of one request before compression; a record that is longer by itself goes to the dead letters. */
  bodyBytesMax: z.int().min(1_024).max(67_108_864).default(1_048_576),
  answerBytesMax: z.int().min(1_024).max(67_108_864).default(4_194_304),
  connectionsMax: z.int().min(1).max(64).default(2),
};

/** What `httpSettings` makes of a file. */
export const HttpSettings = z.object(httpSettings);
export type HttpSettings = z.infer<typeof HttpSettings>;

/** Said of an address that `isSafeUrl` is false for. */
export const UNSAFE_URL = { message: 'is https, or http to loopback, or allowPlainHttp is true', path: ['url'] };
