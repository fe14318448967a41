import type { IncomingMessage } from 'node:http';
import {
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { BehindSideDoor } from '@warder/admin-access';
import type { AdminActor } from '@warder/postgres';
import { SCIM_PREFIX, ScimDoor } from './scim-door.js';
import { ScimGroups } from './scim-groups.store.js';
import type { Condition } from './scim-condition.js';
import {
  type ListAsked,
  listAnswer,
  listAskedIn,
  type Projection,
  projectionAskedIn,
  type ScimPage,
} from './scim-list.js';
import { isKnown, type ScimReply, tag } from './scim-reply.js';
import { ScimUsers } from './scim-users.store.js';

type Resource = Record<string, unknown>;
type Raw = { readonly raw: IncomingMessage };

/** A request that changes a resource, and where its answer goes. */
interface ChangeAsked extends Raw {
  readonly body: unknown;
  readonly query: unknown;
  readonly reply: ScimReply;
}

const Asked = createParamDecorator((_: unknown, context: ExecutionContext): ChangeAsked => {
  const http = context.switchToHttp();
  const { body, query, raw } = http.getRequest<Omit<ChangeAsked, 'reply'>>();
  return { body, query, raw, reply: http.getResponse<ScimReply>() };
});

/** What a kind of resource can be asked for. */
interface Resources {
  list(asked: ListAsked): Promise<ScimPage>;
  get(id: string, projection: Projection): Promise<Resource>;
  create(body: unknown, by: AdminActor): Promise<Resource>;
  replace(id: string, body: unknown, condition: Condition, by: AdminActor): Promise<Resource>;
  patch(id: string, body: unknown, condition: Condition, by: AdminActor): Promise<Resource>;
  remove(id: string, condition: Condition, by: AdminActor): Promise<void>;
}

/** The HTTP of every kind of resource. @see RFC 7644 section 3 */
abstract class ResourcesController {
  protected abstract readonly resources: Resources;
  protected abstract readonly door: ScimDoor;

  @Get()
  async list(@Query() query: unknown): Promise<object> {
    const asked = listAskedIn(query, this.door.pageMax);
    return listAnswer(asked, await this.resources.list(asked));
  }

  @Get(':id')
  async get(
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: ScimReply,
  ): Promise<Resource | undefined> {
    const projection = projectionAskedIn(query);
    const resource = await this.resources.get(id, projection);
    return isKnown(reply, resource, ifNoneMatch) ? undefined : projection.of(resource);
  }

  @Post()
  create(@Asked() asked: ChangeAsked): Promise<Resource> {
    return this.told(asked, (by) => this.resources.create(asked.body, by));
  }

  @Put(':id')
  replace(@Param('id') id: string, @Asked() asked: ChangeAsked): Promise<Resource> {
    return this.told(asked, (by) => this.resources.replace(id, asked.body, conditionOf(asked.raw), by));
  }

  @Patch(':id')
  change(@Param('id') id: string, @Asked() asked: ChangeAsked): Promise<Resource> {
    return this.told(asked, (by) => this.resources.patch(id, asked.body, conditionOf(asked.raw), by));
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string, @Req() { raw }: Raw): Promise<void> {
    return this.resources.remove(id, conditionOf(raw), this.door.actorOf(raw));
  }

  /** The query is read before anything is changed. */
  private async told(
    { query, raw, reply }: ChangeAsked,
    change: (by: AdminActor) => Promise<Resource>,
  ): Promise<Resource> {
    const projection = projectionAskedIn(query);
    const resource = await change(this.door.actorOf(raw));
    tag(reply, resource);
    return projection.of(resource);
  }
}

@Controller('scim/v2/Users')
@BehindSideDoor(SCIM_PREFIX)
export class ScimUsersController extends ResourcesController {
  constructor(
    @Inject(ScimUsers) protected readonly resources: ScimUsers,
    @Inject(ScimDoor) protected readonly door: ScimDoor,
  ) {
    super();
  }
}

@Controller('scim/v2/Groups')
@BehindSideDoor(SCIM_PREFIX)
export class ScimGroupsController extends ResourcesController {
  constructor(
    @Inject(ScimGroups) protected readonly resources: ScimGroups,
    @Inject(ScimDoor) protected readonly door: ScimDoor,
  ) {
    super();
  }
}

function conditionOf(request: IncomingMessage): { ifMatch: string | undefined } {
  return { ifMatch: request.headers['if-match'] };
}
