import { Inject, type ModuleMetadata, type OnModuleInit } from '@nestjs/common';
import type { Host } from '@warder/service-host';
import type { IdentityConfig } from '../identity-config.js';
import { IdentityStore } from '../identity.store.js';
import { Offboarding } from '../offboarding.store.js';
import { ScimDiscoveryController } from './scim-discovery.controller.js';
import { SCIM_PREFIX, ScimDoor } from './scim-door.js';
import { ScimGroup } from './scim-group.entity.js';
import { ScimGroups } from './scim-groups.store.js';
import { ScimMemberships } from './scim-memberships.store.js';
import { ScimGroupsController, ScimUsersController } from './scim-resources.controller.js';
import { ScimUser } from './scim-user.entity.js';
import { ScimUsers } from './scim-users.store.js';

export const SCIM_ENTITIES = [ScimUser, ScimGroup];

/** Gives everybody what their groups mean now: the rules may be others than at the last start. */
class ScimStart implements OnModuleInit {
  constructor(@Inject(ScimMemberships) private readonly memberships: ScimMemberships) {}

  async onModuleInit(): Promise<void> {
    await this.memberships.followAll();
  }
}

/** The part of identity that speaks SCIM; without a configuration a door that is not there. */
export function scimParts(
  { scim, groupRules }: IdentityConfig,
  host: Host,
): Required<Pick<ModuleMetadata, 'controllers' | 'providers'>> {
  const door = new ScimDoor(scim, host);
  host.sideDoor(SCIM_PREFIX, door);
  if (scim === undefined) return { controllers: [], providers: [] };
  return {
    controllers: [ScimUsersController, ScimGroupsController, ScimDiscoveryController],
    providers: [
      { provide: ScimDoor, useValue: door },
      {
        provide: ScimMemberships,
        inject: [IdentityStore],
        useFactory: (store: IdentityStore) => new ScimMemberships(store, groupRules),
      },
      {
        provide: ScimUsers,
        inject: [IdentityStore, ScimMemberships, Offboarding],
        useFactory: (store: IdentityStore, memberships: ScimMemberships, offboarding: Offboarding) =>
          new ScimUsers(store, memberships, offboarding, scim, door.urlOf),
      },
      {
        provide: ScimGroups,
        inject: [IdentityStore, ScimMemberships],
        useFactory: (store: IdentityStore, memberships: ScimMemberships) =>
          new ScimGroups(store, memberships, scim, door.urlOf),
      },
      ScimStart,
    ],
  };
}
