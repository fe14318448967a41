import { Inject, type OnModuleInit, type Provider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { toolDefinitionDiscoveredTopic, toolDefinitionVerdictTopic } from '@warder/contracts';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { DefinitionsStore } from './definitions.store.js';
import { DiscoveredDefinitions } from './discovered-definitions.js';

const HOST = Symbol('host of the definitions');

/** Publishes the verdicts at start, answers for their topic once they are on it, and follows what is discovered. */
class DefinitionsStart implements OnModuleInit {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(DefinitionsStore) private readonly store: DefinitionsStore,
  ) {}

  async onModuleInit(): Promise<void> {
    const { bus, log } = this.host;
    await bus.ensureTopics([toolDefinitionVerdictTopic, toolDefinitionDiscoveredTopic]);
    await this.store.republish();
    this.host.enrolment?.onRotated(() => this.store.republish());
    const discovered = new DiscoveredDefinitions(this.store, log);
    const replica = await bus.replica(toolDefinitionDiscoveredTopic, (upstream, catalogue) =>
      discovered.apply(upstream, catalogue),
    );
    this.host.onDrain('discovered tools', async () => {
      await replica.stop();
      await discovered.stop();
    });
    // Not waited for: while the bus is away administration goes on, and changes stay in the outbox.
    this.own().catch((error: unknown) => log.error({ err: error }, 'the verdict topic has no owner'));
  }

  private async own(): Promise<void> {
    await this.outbox.drained([toolDefinitionVerdictTopic]);
    await this.host.bus.own(toolDefinitionVerdictTopic);
  }
}

/** What keeps the definitions of tools. */
export function definitionsProviders(host: Host): Provider[] {
  return [
    { provide: HOST, useValue: host },
    {
      provide: DefinitionsStore,
      inject: [getDataSourceToken('guardrails'), Outbox],
      useFactory: (source: DataSource, outbox: Outbox) =>
        new DefinitionsStore(source, outbox, () => host.clock.wallMs()),
    },
    DefinitionsStart,
  ];
}
