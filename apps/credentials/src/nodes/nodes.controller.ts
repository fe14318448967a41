import { Controller, Delete, Get, Inject, Param, Post } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { AdminError } from '@warder/service-host';
import { NodesStore, type NodeView } from './nodes.store.js';

/** As `node` of every process. */
const NODE_NAME = /^[A-Za-z0-9._-]{1,64}$/;

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
    @AdminCaller() by: AdminActor,
  ): Promise<{ node: string; joinToken: string; expiresAtMs: number }> {
    return { node, ...(await this.store.issueJoinToken(nodeOf(node), by)) };
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
