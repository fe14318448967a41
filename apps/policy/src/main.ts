import 'reflect-metadata';
import { runService } from '@warder/service-host';
import { policyService } from './index.js';

await runService(policyService);
