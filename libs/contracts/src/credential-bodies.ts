import { z } from 'zod';

/** UTF-8 bytes of a static credential at most. */
export const CREDENTIAL_BYTES_MAX = 8_192;

const Value = z
  .string()
  .min(1)
  .refine((value) => new TextEncoder().encode(value).length <= CREDENTIAL_BYTES_MAX, 'longer than 8192 bytes');

/**
 * Headers that say how a message travels or what it holds, not who sends it: hop-by-hop (RFC 9110 section 7.6.1),
 * those that the gateway writes itself, and everything of MCP.
 */
const HEADERS_REFUSED =
  /^(?:connection|keep-alive|te|trailer|transfer-encoding|upgrade|host|expect|date|via|forwarded|accept|accept-.*|content-.*|mcp-.*|proxy-.*|x-forwarded-.*|last-event-id|range|origin|referer|traceparent|tracestate|baggage)$/;

/** Variables by which a child is made to run other code (loader, interpreter, shell) than its operator wrote. */
const VARIABLES_REFUSED =
  /^(?:PATH|HOME|SHELL|IFS|ENV|PWD|TMPDIR|PS4|PROMPT_COMMAND|BASH_.*|LD_.*|DYLD_.*|NODE_.*|NPM_CONFIG_.*|PYTHON.*|RUBY.*|PERL.*|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|GIT_.*|GCONV_PATH|HTTPS?_PROXY|ALL_PROXY|NO_PROXY|WARDER_.*)$/i;

/** A header that may carry a credential, in lower case. */
export const CredentialHeaderName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'not a header name')
  .transform((name) => name.toLowerCase())
  .refine((name) => !HEADERS_REFUSED.test(name), 'not a header that may carry a credential');

const HeaderCredential = z.strictObject({
  kind: z.literal('header'),
  name: CredentialHeaderName,
  // Latin-1 and other control characters are what HTTP implementations differ on.
  value: Value.regex(
    /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/,
    'not a header value: printable ASCII, no line break',
  ),
});

const EnvironmentCredential = z.strictObject({
  kind: z.literal('environment'),
  name: z
    .string()
    .max(100)
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'not a variable name')
    .refine((name) => !VARIABLES_REFUSED.test(name), 'not a variable that may carry a credential'),
  value: Value.refine((value) => !/[\0\r\n\p{Cs}]/u.test(value), 'no line break, NUL or lone surrogate'),
});

/** Body of `PUT /admin/credentials/guardrail-providers/<provider>`: what its kind makes its requests with. */
export const PutProviderCredential = z.strictObject({ value: EnvironmentCredential.shape.value });
export type PutProviderCredential = z.infer<typeof PutProviderCredential>;

/** Body of `PUT /admin/credentials/static/<upstream>`. Its value is stored sealed and never answered again. */
export const PutStaticCredential = z.discriminatedUnion('kind', [HeaderCredential, EnvironmentCredential]);
export type PutStaticCredential = z.infer<typeof PutStaticCredential>;
