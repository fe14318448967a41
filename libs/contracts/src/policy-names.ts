import { z } from 'zod';

/** Names of upstreams, virtual servers and groups: they stand in URLs, tool names and patterns. */
export const Name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'a name is 1-40 of a-z, 0-9 and "-", not at its ends');

/** A canonical pattern `upstream/tool`; `*` stands for any run of characters within its half. */
export const ToolPattern = z
  .string()
  .max(200)
  .regex(/^[a-z0-9*-]+\/[A-Za-z0-9_.*/-]+$/, 'a tool pattern is "upstream/tool", "*" stands for any run of characters');
