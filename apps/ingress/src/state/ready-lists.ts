import { createHash } from 'node:crypto';
import type { VisibleTools } from '@warder/catalog';
import type { Finding, GuardrailActions } from '@warder/contracts';
import { type Revision, type ServerInfo, withoutParamHeaders } from '@warder/mcp-wire';
import type { Guardrails, ListedTools, Lists } from '../pipeline/gateway.js';

type Tool = VisibleTools['tools'][number];

/** A list in a revision's form. */
interface Written {
  readonly text: string;
  readonly digest: string;
}

/** Characters of a digest: 128 bits. */
const DIGEST_CHARS = 22;

/** A view as the guardrails leave it, and what they said. */
interface ScreenedView {
  readonly guardrails: Guardrails;
  readonly actions: GuardrailActions;
  readonly tools: readonly Tool[];
  readonly findings: readonly Finding[];
  readonly texts: Map<string, Written>;
}

/**
 * Lists as they go down, screened once per view and written once per revision. Callers who see the same tools share
 * one view object, so the text lives exactly as long as the catalogue keeps the view, or the rules stay.
 */
export class ReadyLists implements Lists {
  private readonly views = new WeakMap<VisibleTools, ScreenedView>();

  constructor(private readonly server: ServerInfo) {}

  listOf(view: VisibleTools, revision: Revision, guardrails: Guardrails, actions: GuardrailActions): ListedTools {
    const screened = this.screened(view, guardrails, actions);
    let written = screened.texts.get(revision.protocolVersion);
    if (written === undefined) {
      // A list that lacks an upstream says so: the agent must not believe that there is nothing more.
      const meta = view.missingUpstreams.length === 0 ? {} : { meta: { 'warder/partial': view.missingUpstreams } };
      const text = revision.encodeToolsPage({ tools: screened.tools, ...meta }, this.server);
      written = { text, digest: createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_CHARS) };
      screened.texts.set(revision.protocolVersion, written);
    }
    return { ...written, findings: screened.findings, withheld: view.tools.length - screened.tools.length };
  }

  private screened(view: VisibleTools, guardrails: Guardrails, actions: GuardrailActions): ScreenedView {
    const known = this.views.get(view);
    if (known?.guardrails === guardrails && known.actions === actions) return known;
    const findings: Finding[] = [];
    const tools = view.tools.flatMap((tool): Tool | [] => {
      const { verdict, value, findings: found } = guardrails.screen(tool, 'response', actions);
      const shown = value as Tool;
      for (const finding of found) findings.push({ ...finding, place: `/${shown.name}${finding.place}` });
      // Under a name that had to be redacted it could not be called.
      if (verdict === 'reject' || shown.name !== tool.name) return [];
      return { ...shown, inputSchema: withoutParamHeaders(shown.inputSchema) as Tool['inputSchema'] };
    });
    const fresh = { guardrails, actions, tools, findings, texts: new Map<string, Written>() };
    this.views.set(view, fresh);
    return fresh;
  }
}
