import { Controller, Get, Module } from '@nestjs/common';
import { Pepper } from '@warder/contracts';
import type { Service } from '@warder/service-host';
import { adminAccessModule } from './admin-access.module.js';
import { type AdminActor, AdminCaller, Roles } from './roles.js';

export const pepper = { current: 'p1', keys: { p1: 'a pepper of thirty-two characters' } };

@Controller('admin/test')
@Roles('admin')
class TestController {
  @Get()
  forAdmins(@AdminCaller() by: AdminActor): object {
    return { id: by.principal.id, address: by.address };
  }

  @Get('records')
  @Roles('auditor')
  forAuditors(): object {
    return {};
  }
}

@Controller('admin/forgotten')
class ForgottenController {
  @Get()
  forNobody(): object {
    return {};
  }
}

@Module({})
class TestModule {}

/** A service of two controllers, one of which forgot its roles, that asks for the guard twice. */
export const service: Service<Pepper> = {
  name: 'test',
  config: Pepper,
  module: (given, host) => ({
    module: TestModule,
    imports: [
      { module: class Twice {}, imports: [adminAccessModule(host, { pepper: given })] },
      adminAccessModule(host, { pepper: given }),
    ],
    controllers: [TestController, ForgottenController],
  }),
};
