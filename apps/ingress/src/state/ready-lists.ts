import type { VisibleTools } from '@warder/catalog';
import type { Revision, ServerInfo } from '@warder/mcp-wire';
import type { Lists } from '../pipeline/gateway.js';

/**
 * Lists as they go down, written once per view and revision. Callers who see the same tools share one view object, so
 * the text lives exactly as long as the catalogue keeps the view.
 */
export class ReadyLists implements Lists {
  private readonly texts = new WeakMap<VisibleTools, Map<string, string>>();

  constructor(private readonly server: ServerInfo) {}

  textOf(view: VisibleTools, revision: Revision): string {
    let ofView = this.texts.get(view);
    if (ofView === undefined) this.texts.set(view, (ofView = new Map()));
    let text = ofView.get(revision.protocolVersion);
    if (text === undefined) {
      // A list that lacks an upstream says so: the agent must not believe that there is nothing more.
      const meta = view.missingUpstreams.length === 0 ? {} : { meta: { 'warder/partial': view.missingUpstreams } };
      text = revision.encodeToolsPage({ tools: view.tools, ...meta }, this.server);
      ofView.set(revision.protocolVersion, text);
    }
    return text;
  }
}
