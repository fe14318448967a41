import { Body, Controller, Delete, Get, Inject, Param, Post } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ServiceName } from '@warder/contracts';
import { AdminError, parseBody } from '@warder/service-host';
import { z } from 'zod';
import { NodesStore, type NodeView } from './nodes.store.js';

/** As `node` of every process. */
const NODE_NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** As a node of which service it is let in; an ingress node where nothing is said. The registrar enrols the others. */
const JoinTokenBody = z.strictObject({ service: ServiceName.exclude(['credentials']).default('ingress') });

@Controller('admin/credentials/nodes')
export class NodesController {
  constructor(@Inject(NodesStore) private readonly store: NodesStore) {}

  @Get()
  @Roles('admin', 'auditor')
  async list(): Promise<{ nodes: readonly NodeView[] }> {
    return { nodes: await this.store.list() };
  }

  @Post(':node/join-token')
  @Roles('admin')
  async invite(
    @Param('node') node: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<{ node: string; joinToken: string; expiresAtMs: number }> {
    const { service } = parseBody(JoinTokenBody, body ?? {});
    return { node, ...(await this.store.issueJoinToken(nodeOf(node), service, by)) };
  }

  @Delete(':node')
  @Roles('admin')
  async revoke(@Param('node') node: string, @AdminCaller() by: AdminActor): Promise<NodeView> {
    return this.store.revoke(nodeOf(node), by);
  }
}

function nodeOf(text: string): string {
  if (!NODE_NAME.test(text)) throw new AdminError(404, 'WDR_NODE_UNKNOWN', 'no node can have this name');
  return text;
}
