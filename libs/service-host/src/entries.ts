/** A way into a process over HTTP. */
export interface Entry {
  /** `internal` is the listener for other services. */
  readonly listener: 'door' | 'internal';
  /** `*` for a mount, whose handler judges methods itself. */
  readonly method: string;
  /** Of a route as the router knows it, with its parameters; of a mount the prefix. */
  readonly path: string;
}

interface Mounts {
  readonly prefixes: readonly string[];
}

interface Routes {
  addHook(name: 'onRoute', hook: (route: { method: string | string[]; url: string }) => void): unknown;
}

/** Every way into the process: what is mounted before the framework, and the framework's routes. */
export class Entries {
  private readonly routes: Entry[] = [];

  constructor(
    private readonly door: Mounts,
    private readonly internal: Mounts,
  ) {}

  /** Listens for routes; call it before there are any. */
  listen(fastify: Routes): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) this.routes.push({ listener: 'door', method: each, path: url });
    });
  }

  all(): readonly Entry[] {
    const mounts = (listener: Entry['listener'], { prefixes }: Mounts): Entry[] =>
      prefixes.map((path) => ({ listener, method: '*', path }));
    return [...mounts('door', this.door), ...mounts('internal', this.internal), ...this.routes];
  }
}
