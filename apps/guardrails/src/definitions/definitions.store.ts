import type { AdminActor } from '@warder/admin-access';
import {
  type AcceptDefinitions,
  type DefinitionVerdicts,
  isNameable,
  type RejectDefinition,
  toolDefinitionVerdictTopic,
  type UpstreamCatalogue,
  VERDICT_HASHES_MAX,
} from '@warder/contracts';
import type { Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { type DataSource, type EntityManager, In } from 'typeorm';
import { ToolDefinitionRow, UpstreamDefinitions } from './tool-definition.entity.js';

/** Tools of one upstream that are remembered; it has to be a very odd one to have ever listed more. */
const TOOLS_MAX = 10_000;
/** Bytes of their names, as JSON: with their hashes they are one message of the bus. */
const NAME_BYTES_MAX = 2_097_152;
/** Rows of one INSERT: Postgres takes 65,535 parameters. */
const ROWS_AT_ONCE = 1_000;
/** Tools that the record of a change names. */
const TOLD_MAX = 100;

/**
 * Every definition that upstreams have listed and what administrators said of it. A change and its message are one
 * transaction under the lock of the upstream's row.
 */
export class DefinitionsStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly wallMs: () => number,
  ) {}

  upstreams(): Promise<UpstreamDefinitions[]> {
    return this.source.manager.find(UpstreamDefinitions, { order: { upstream: 'ASC' } });
  }

  /** Every definition of an upstream; those that were seen last come first. */
  of(upstream: string): Promise<ToolDefinitionRow[]> {
    return this.source.manager.find(ToolDefinitionRow, {
      where: { upstream },
      order: { tool: 'ASC', seenAtMs: 'DESC' },
    });
  }

  upstream(upstream: string): Promise<UpstreamDefinitions | null> {
    return this.source.manager.findOneBy(UpstreamDefinitions, { upstream });
  }

  /** Every tool that any upstream lists now. */
  listedNames(): Promise<Pick<ToolDefinitionRow, 'upstream' | 'tool'>[]> {
    return this.source.manager.find(ToolDefinitionRow, {
      select: { upstream: true, tool: true },
      where: { isListed: true },
    });
  }

  /** Takes in what an upstream lists; older than what was taken in before it changes nothing. */
  async observe(catalogue: UpstreamCatalogue): Promise<void> {
    const { upstream } = catalogue;
    await this.source.transaction(async (manager) => {
      const fresh = { upstream, version: 0, listedVersion: '0' };
      await manager.createQueryBuilder().insert().into(UpstreamDefinitions).values(fresh).orIgnore().execute();
      const row = await locked(manager, upstream);
      if (row === null || Number(row.listedVersion) >= catalogue.version) return;
      await manager.update(UpstreamDefinitions, { upstream }, { listedVersion: String(catalogue.version) });
      // Never the definitions: all that an upstream has ever listed may be more than memory holds.
      const known = await manager.find(ToolDefinitionRow, { select: { tool: true, hash: true }, where: { upstream } });
      const added = this.unknownOf(catalogue, known);
      for (let at = 0; at < added.length; at += ROWS_AT_ONCE)
        await manager.insert(ToolDefinitionRow, added.slice(at, at + ROWS_AT_ONCE));
      await markListed(manager, catalogue);
      await forgetOld(manager, upstream);
      if (added.some(({ isFirst }) => isFirst)) await this.publish(manager, upstream, row.version + 1);
    });
  }

  /**
   * Says that definitions are right: they are shown on every node as soon as it reads so.
   * @throws AdminError 404 WDR_DEFINITION_UNKNOWN for a hash that the tool never had, 400 WDR_BODY_INVALID for too many
   */
  async accept(upstream: string, { tools, keepOthers }: AcceptDefinitions, by: AdminActor): Promise<void> {
    await this.decide(upstream, tools, by, 'accepted', async (manager, { tool }) => {
      const others = { upstream, tool, verdict: 'accepted' as const };
      if (!keepOthers) await manager.update(ToolDefinitionRow, others, { verdict: null });
      else if ((await manager.countBy(ToolDefinitionRow, others)) >= VERDICT_HASHES_MAX)
        throw new AdminError(
          400,
          'WDR_BODY_INVALID',
          `keepOthers: ${VERDICT_HASHES_MAX} definitions of ${tool} at most`,
        );
    });
  }

  /**
   * Says that a definition is never to be shown.
   * @throws AdminError 404 WDR_DEFINITION_UNKNOWN
   */
  async reject(upstream: string, wanted: RejectDefinition, by: AdminActor): Promise<void> {
    await this.decide(upstream, [wanted], by, 'rejected', async (manager, { tool }) => {
      const rejected = { upstream, tool, verdict: 'rejected' as const };
      const before = await manager.find(ToolDefinitionRow, { where: rejected, order: { decidedAtMs: 'ASC' } });
      // The oldest give way; what nobody accepted is not shown for that.
      const over = before.slice(0, Math.max(0, before.length + 1 - VERDICT_HASHES_MAX)).map(({ hash }) => hash);
      if (over.length > 0) await manager.update(ToolDefinitionRow, { ...rejected, hash: In(over) }, { verdict: null });
    });
  }

  /** Publishes every verdict again: a broker may have lost it, and an in-process bus keeps nothing. */
  async republish(): Promise<void> {
    for (const { upstream } of await this.upstreams()) {
      await this.source.transaction(async (manager) => {
        const row = await locked(manager, upstream);
        if (row !== null && row.version > 0) await this.publish(manager, upstream, row.version);
      });
    }
  }

  private unknownOf(
    { upstream, tools }: UpstreamCatalogue,
    known: readonly Pick<ToolDefinitionRow, 'tool' | 'hash'>[],
  ): ToolDefinitionRow[] {
    const knownTools = new Set(known.map(({ tool }) => tool));
    let nameBytes = bytesOf(knownTools);
    const knownPairs = new Set(known.map(({ tool, hash }) => `${hash} ${tool}`));
    const seenAtMs = String(this.wallMs());
    return tools.flatMap(({ hash, definition }): ToolDefinitionRow[] => {
      const tool = definition.name;
      if (!isNameable(tool) || knownPairs.has(`${hash} ${tool}`)) return [];
      const isFirst = !knownTools.has(tool);
      if (isFirst && isFull(knownTools.size, nameBytes)) return [];
      if (isFirst) nameBytes += bytesOf([tool]);
      knownTools.add(tool);
      knownPairs.add(`${hash} ${tool}`);
      const undecided = { verdict: null, decidedAtMs: null, decidedBy: null };
      return [
        {
          upstream,
          tool,
          hash,
          definition: JSON.stringify(definition),
          isFirst,
          isListed: true,
          seenAtMs,
          ...undecided,
        },
      ];
    });
  }

  private async decide(
    upstream: string,
    tools: readonly RejectDefinition[],
    by: AdminActor,
    verdict: 'accepted' | 'rejected',
    before: (manager: EntityManager, wanted: RejectDefinition) => Promise<void>,
  ): Promise<void> {
    await this.source.transaction(async (manager) => {
      const row = await locked(manager, upstream);
      for (const wanted of tools) {
        if (row === null || !(await manager.existsBy(ToolDefinitionRow, { upstream, ...wanted })))
          throw unknown(wanted);
        await before(manager, wanted);
        const decided = { verdict, decidedAtMs: String(this.wallMs()), decidedBy: by.principal.id };
        await manager.update(ToolDefinitionRow, { upstream, ...wanted }, decided);
      }
      await this.publish(manager, upstream, (row?.version ?? 0) + 1);
      await this.outbox.recordAdminAction(manager, {
        action: verdict === 'accepted' ? 'definition.accept' : 'definition.reject',
        by,
        arguments: { upstream, count: tools.length, tools: tools.slice(0, TOLD_MAX) },
      });
    });
  }

  private async publish(manager: EntityManager, upstream: string, version: number): Promise<void> {
    await manager.update(UpstreamDefinitions, { upstream }, { version });
    const rows = await manager.find(ToolDefinitionRow, {
      where: [
        { upstream, isFirst: true },
        { upstream, verdict: In(['accepted', 'rejected']) },
      ],
      order: { tool: 'ASC', hash: 'ASC' },
      select: { tool: true, hash: true, isFirst: true, verdict: true },
    });
    const tools = verdictsOf(rows);
    const names = tools.map(({ tool }) => tool);
    const full = isFull(names.length, bytesOf(names)) ? { isFull: true } : {};
    const message = { version, status: 'active' as const, upstream, tools, ...full };
    await this.outbox.enqueue(manager, toolDefinitionVerdictTopic, upstream, message);
  }
}

type Decided = Pick<ToolDefinitionRow, 'tool' | 'hash' | 'isFirst' | 'verdict'>;

/** Rows of definitions as the message says them. */
export function verdictsOf(rows: readonly Decided[]): DefinitionVerdicts['tools'] {
  const tools = new Map<string, Decided[]>();
  for (const row of rows) tools.set(row.tool, [...(tools.get(row.tool) ?? []), row]);
  return [...tools].map(([tool, of]) => ({
    tool,
    firstSeen: (of.find(({ isFirst }) => isFirst) ?? of[0]!).hash,
    accepted: of.filter(({ verdict }) => verdict === 'accepted').map(({ hash }) => hash),
    rejected: of.filter(({ verdict }) => verdict === 'rejected').map(({ hash }) => hash),
  }));
}

/** Whether no other tool of the upstream is remembered any more. */
function isFull(tools: number, nameBytes: number): boolean {
  return tools >= TOOLS_MAX || nameBytes >= NAME_BYTES_MAX;
}

function bytesOf(names: Iterable<string>): number {
  let bytes = 0;
  for (const name of names) bytes += Buffer.byteLength(JSON.stringify(name));
  return bytes;
}

function locked(manager: EntityManager, upstream: string): Promise<UpstreamDefinitions | null> {
  return manager.findOne(UpstreamDefinitions, { where: { upstream }, lock: { mode: 'pessimistic_write' } });
}

async function markListed(manager: EntityManager, { upstream, status, tools }: UpstreamCatalogue): Promise<void> {
  const now = status === 'active' ? tools.filter(({ definition }) => isNameable(definition.name)) : [];
  await manager.query(
    `UPDATE tool_definition AS row SET is_listed = listed.hash IS NOT NULL
     FROM tool_definition AS all_rows LEFT JOIN (SELECT unnest($2::text[]) AS tool, unnest($3::text[]) AS hash) AS listed
       ON listed.tool = all_rows.tool AND listed.hash = all_rows.hash
     WHERE all_rows.upstream = $1 AND row.upstream = $1 AND row.tool = all_rows.tool AND row.hash = all_rows.hash
       AND row.is_listed <> (listed.hash IS NOT NULL)`,
    [upstream, now.map(({ definition }) => definition.name), now.map(({ hash }) => hash)],
  );
}

/** Of what nobody decided on and is listed no more, the newest of each tool stay, and its first. */
async function forgetOld(manager: EntityManager, upstream: string): Promise<void> {
  await manager.query(
    `DELETE FROM tool_definition USING (
       SELECT tool, hash, row_number() OVER (PARTITION BY tool ORDER BY seen_at_ms DESC) AS place FROM tool_definition
       WHERE upstream = $1 AND NOT is_listed AND NOT is_first AND verdict IS NULL
     ) AS old WHERE tool_definition.upstream = $1 AND tool_definition.tool = old.tool
       AND tool_definition.hash = old.hash AND old.place > $2`,
    [upstream, VERDICT_HASHES_MAX],
  );
}

function unknown({ tool }: RejectDefinition): AdminError {
  const detail = `no definition of ${JSON.stringify(tool.slice(0, 80))} with this hash was ever listed`;
  return new AdminError(404, 'WDR_DEFINITION_UNKNOWN', detail);
}
