import { type DynamicModule, Module } from '@nestjs/common';
import type { Host } from '@warder/service-host';
import type { IngressConfig } from './ingress-config.js';
import { startIngressNode } from './ingress-node.js';

const STARTED = Symbol('ingress node');

/** Wires the data plane into a Nest application; nothing on the path of a call goes through Nest. */
@Module({})
export class IngressModule {
  static of(config: IngressConfig, host: Host): DynamicModule {
    const started = { provide: STARTED, useFactory: () => startIngressNode(config, host).then(() => true) };
    return { module: IngressModule, providers: [started] };
  }
}
