import 'reflect-metadata';
import { runService } from '@warder/service-host';
import { identityService } from './index.js';

await runService(identityService);
