import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess, adminAccessModule } from '@warder/admin-access';
import {
  approvalAnsweredTopic,
  approvalDecidedTopic,
  approvalRequestedTopic,
  guardrailRulesStateTopic,
  toolDefinitionVerdictTopic,
} from '@warder/contracts';
import { databaseModule, Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { ActionMatrixRow } from './actions/action-matrix.entity.js';
import { ActionsController } from './actions/actions.controller.js';
import { ActionsStore } from './actions/actions.store.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { approvalsProviders } from './approvals/approvals.module.js';
import { CustomRulesController } from './custom/custom-rules.controller.js';
import { CustomRulesRow } from './custom/custom-rules.entity.js';
import { CustomRulesStore } from './custom/custom-rules.store.js';
import { ExactLists } from './custom/exact-lists.js';
import { RuleTrials } from './custom/rule-trials.js';
import { DefinitionsController } from './definitions/definitions.controller.js';
import { definitionsProviders } from './definitions/definitions.module.js';
import { ToolDefinitionRow, UpstreamDefinitions } from './definitions/tool-definition.entity.js';
import { DryRun } from './dry-run.js';
import type { GuardrailsConfig } from './guardrails-config.js';
import { GuardrailsController } from './guardrails.controller.js';
import { ApprovalsAsWritten1790000090000 } from './migrations/approvals-as-written.js';
import { ApprovalsInOrder1790000093000 } from './migrations/approvals-in-order.js';
import { CreateActionMatrix1790000091000 } from './migrations/create-action-matrix.js';
import { CreateApprovalNotices1790000092000 } from './migrations/create-approval-notices.js';
import { CreateApprovals1790000070000 } from './migrations/create-approvals.js';
import { CreateCustomRules1790000095000 } from './migrations/create-custom-rules.js';
import { CreateDefinitions1790000080000 } from './migrations/create-definitions.js';
import { KnownDetectors1790000081000 } from './migrations/known-detectors.js';
import { CreateRulePacks1790000002000 } from './migrations/create-rule-packs.js';
import { NoticesController } from './notices/notices.controller.js';
import { noticesProviders } from './notices/notices.module.js';
import { RulePack } from './rule-pack.entity.js';
import { RulePacksStore } from './rule-packs.store.js';

const HOST = Symbol('guardrails host');
const REFUSED = Symbol('what the door of guardrails refused');

const SENT = [guardrailRulesStateTopic, approvalAnsweredTopic, approvalDecidedTopic, toolDefinitionVerdictTopic];

/** Publishes the packs at start, and answers for their topic once they are on it. */
class GuardrailsStart implements OnModuleInit {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(RulePacksStore) private readonly store: RulePacksStore,
    @Inject(ActionsStore) private readonly actions: ActionsStore,
    @Inject(CustomRulesStore) private readonly custom: CustomRulesStore,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.host.bus.ensureTopics([...SENT, approvalRequestedTopic]);
    await this.republish();
    this.host.enrolment?.onRotated(() => this.republish());
    this.outbox.start();
    this.host.onDrain('outbox', () => this.outbox.stop());
    // Not waited for: while the bus is away administration goes on, and changes stay in the outbox.
    this.own().catch((error: unknown) => this.host.log.error({ err: error }, 'the rules topic has no owner'));
  }

  private async republish(): Promise<void> {
    await this.store.republish();
    await this.actions.republish();
    await this.custom.republish();
  }

  private async own(): Promise<void> {
    await this.outbox.drained([guardrailRulesStateTopic]);
    await this.host.bus.own(guardrailRulesStateTopic);
  }
}

/** Holder of the dynamic module that `guardrailsModule` makes. */
@Module({})
export class GuardrailsModule {}

/** The guardrails service: its rule packs, its admin door, its topic. */
export function guardrailsModule(config: GuardrailsConfig, host: Host): DynamicModule {
  const { url } = config.database;
  return {
    module: GuardrailsModule,
    imports: [
      databaseModule('guardrails', url, {
        entities: [ActionMatrixRow, CustomRulesRow, RulePack, UpstreamDefinitions, ToolDefinitionRow],
        migrations: [
          CreateRulePacks1790000002000,
          CreateApprovals1790000070000,
          CreateDefinitions1790000080000,
          KnownDetectors1790000081000,
          ApprovalsAsWritten1790000090000,
          CreateActionMatrix1790000091000,
          CreateApprovalNotices1790000092000,
          ApprovalsInOrder1790000093000,
          CreateCustomRules1790000095000,
        ],
      }),
      adminAccessModule(host, { pepper: config.pepper }),
    ],
    controllers: [
      GuardrailsController,
      ActionsController,
      CustomRulesController,
      ApprovalsController,
      NoticesController,
      DefinitionsController,
    ],
    providers: [
      { provide: HOST, useValue: host },
      { provide: ExactLists, useFactory: () => new ExactLists(config.pepper) },
      { provide: DryRun, inject: [ExactLists], useFactory: ({ hashes }: ExactLists) => new DryRun(hashes) },
      {
        provide: Outbox,
        useFactory: () => new Outbox(host, { service: 'guardrails', url, topics: SENT }),
      },
      {
        provide: RulePacksStore,
        inject: [getDataSourceToken('guardrails'), Outbox],
        useFactory: (source: DataSource, outbox: Outbox) => new RulePacksStore(source, outbox),
      },
      {
        provide: ActionsStore,
        inject: [getDataSourceToken('guardrails'), Outbox],
        useFactory: (source: DataSource, outbox: Outbox) => new ActionsStore(source, outbox),
      },
      {
        provide: CustomRulesStore,
        inject: [getDataSourceToken('guardrails'), Outbox],
        useFactory: (source: DataSource, outbox: Outbox) => new CustomRulesStore(source, outbox),
      },
      { provide: RuleTrials, useFactory: () => new RuleTrials() },
      {
        provide: REFUSED,
        inject: [AdminAccess, getDataSourceToken('guardrails'), Outbox],
        useFactory: ({ refused }: AdminAccess, source: DataSource, outbox: Outbox) =>
          refused.writeTo('guardrails', (action) =>
            source.transaction((manager) => outbox.recordAdminAction(manager, action)),
          ),
      },
      ...noticesProviders(config, host),
      ...approvalsProviders(config, host),
      ...definitionsProviders(host),
      GuardrailsStart,
    ],
  };
}
