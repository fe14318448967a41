/** One process behind the balancer. */
export interface BackendNode {
  readonly url: URL;
  /** Said by its `/readyz`, and taken back when a connection is refused. */
  isReady: boolean;
}

/** Nodes that can all take the same request, asked in turn. */
export class NodeRing {
  readonly nodes: readonly BackendNode[];
  private next = 0;

  constructor(urls: readonly string[]) {
    this.nodes = urls.map((url) => ({ url: new URL(url), isReady: true }));
  }

  /**
   * The nodes in the order to try them for one request: the ready ones in turn, then the others, for a node that
   * says it is not ready may still serve what it knows when there is no better one.
   */
  order(): readonly BackendNode[] {
    const start = this.next;
    this.next = (start + 1) % this.nodes.length;
    const turned = [...this.nodes.slice(start), ...this.nodes.slice(0, start)];
    return [...turned.filter((node) => node.isReady), ...turned.filter((node) => !node.isReady)];
  }
}
