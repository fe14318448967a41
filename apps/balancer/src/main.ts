import 'reflect-metadata';
import { runService } from '@warder/service-host';
import { balancerService } from './index.js';

await runService(balancerService);
