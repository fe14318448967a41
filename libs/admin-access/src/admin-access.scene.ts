import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { AppliedWait, Pepper } from '@warder/contracts';
import { AdminError, parseBody, type Host, type Service } from '@warder/service-host';
import { adminAccessModule } from './admin-access.module.js';
import { markOnRecord } from './on-record.js';
import { type AdminActor, AdminCaller, BehindSideDoor, Roles } from './roles.js';

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

  @Get('told')
  @Roles('auditor')
  toldAlready(): object {
    const refusal = new AdminError(404, 'WDR_RECORD_UNKNOWN', 'there is no such record');
    markOnRecord(refusal);
    throw refusal;
  }

  @Post(':id')
  refuseAll(@Body() body: unknown): object {
    if (body === 'a bug') throw new TypeError('of the inside');
    parseBody(AppliedWait, body);
    throw new AdminError(412, 'WDR_VERSION_MISMATCH', 'version 7 is in force');
  }
}

@Controller('admin/forgotten')
class ForgottenController {
  @Get()
  forNobody(): object {
    return {};
  }
}

@Controller('side')
@BehindSideDoor('/side')
class SideController {
  @Get()
  forWhomeverTheDoorAdmits(): object {
    return { isIn: true };
  }
}

@Module({})
class TestModule {}

/** A side door that admits who says `word`. */
function openSideDoor(host: Host): void {
  host.sideDoor('/side', {
    mediaType: 'application/side+json',
    bodyBytesMax: 1_024,
    admit: ({ headers }) => {
      if (headers.authorization !== 'word') throw new AdminError(401, 'WDR_TOKEN_UNKNOWN', 'say the word');
    },
    refusal: ({ code }) => ({ body: { side: code } }),
  });
}

/** A service of two controllers, one of which forgot its roles, that asks for the guard twice; and a side door. */
export const service: Service<Pepper> = {
  name: 'test',
  config: Pepper,
  module: (given, host) => {
    openSideDoor(host);
    return {
      module: TestModule,
      imports: [
        { module: class Twice {}, imports: [adminAccessModule(host, { pepper: given })] },
        adminAccessModule(host, { pepper: given }),
      ],
      controllers: [TestController, ForgottenController, SideController],
    };
  },
};
