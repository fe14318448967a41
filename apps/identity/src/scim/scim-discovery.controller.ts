import { Controller, Get, Inject, Param } from '@nestjs/common';
import { BehindSideDoor } from '@warder/admin-access';
import { SCIM_PREFIX, ScimDoor } from './scim-door.js';
import { ScimError } from './scim-error.js';
import { listAnswer, listAskedIn } from './scim-list.js';
import { scimResourceTypes, scimSchemas, serviceProviderConfig } from './scim-schemas.js';

type Resource = Record<string, unknown>;

/** What this server can do and what it keeps. @see RFC 7644 section 4 */
@Controller('scim/v2')
@BehindSideDoor(SCIM_PREFIX)
export class ScimDiscoveryController {
  constructor(@Inject(ScimDoor) private readonly door: ScimDoor) {}

  @Get('ServiceProviderConfig')
  config(): Resource {
    return serviceProviderConfig(this.door.pageMax, this.door.urlOf);
  }

  @Get('Schemas')
  schemas(): object {
    return this.listed(scimSchemas(this.door.urlOf));
  }

  @Get('Schemas/:id')
  schema(@Param('id') id: string): Resource {
    return named(scimSchemas(this.door.urlOf), id);
  }

  @Get('ResourceTypes')
  resourceTypes(): object {
    return this.listed(scimResourceTypes(this.door.urlOf));
  }

  @Get('ResourceTypes/:id')
  resourceType(@Param('id') id: string): Resource {
    return named(scimResourceTypes(this.door.urlOf), id);
  }

  private listed(resources: Resource[]): object {
    return listAnswer(listAskedIn({}, this.door.pageMax), { total: resources.length, resources });
  }
}

function named(resources: Resource[], id: string): Resource {
  const found = resources.find((resource) => resource['id'] === id);
  if (found === undefined) throw new ScimError(404, 'WDR_SCIM_RESOURCE_UNKNOWN', 'there is none of this id');
  return found;
}
