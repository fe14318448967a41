import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Bus } from '@warder/bus';
import type { Pepper } from '@warder/contracts';
import type { Host } from '@warder/service-host';
import { AdminAccess } from './admin-access.js';
import { AdminGuard } from './admin-guard.js';

/** Holder of the dynamic module that `adminAccessModule` makes. */
@Module({})
export class AdminAccessModule {}

interface Shared {
  readonly module: DynamicModule;
  readonly access: AdminAccess;
  users: number;
}

const sharedByBus = new WeakMap<Bus, Shared>();

/**
 * Guards every controller of the process, by replicas of principals and tokens; exports `AdminAccess`. Services that
 * share a process (and so its bus) share the replicas and the one guard.
 */
export function adminAccessModule(host: Host, config: { readonly pepper: Pepper }): DynamicModule {
  const shared = sharedByBus.get(host.bus) ?? share(host, config.pepper);
  shared.users += 1;
  host.readiness('admin access', () => shared.access.isReady() || 'principals and tokens are not read yet');
  host.onDrain('admin access', async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    sharedByBus.delete(host.bus);
    await shared.access.stop();
  });
  return shared.module;
}

function share(host: Host, pepper: Pepper): Shared {
  const access = new AdminAccess(pepper, host);
  access.start();
  const guard = new AdminGuard(access, host);
  host.beforeBody((request) => guard.admitBody(request));
  host.onRefusal((refused) => guard.note(refused));
  const module: DynamicModule = {
    module: AdminAccessModule,
    providers: [
      { provide: AdminAccess, useValue: access },
      { provide: APP_GUARD, useValue: guard },
    ],
    exports: [AdminAccess],
  };
  const shared = { module, access, users: 0 };
  sharedByBus.set(host.bus, shared);
  return shared;
}
