import 'reflect-metadata';
import { runService } from '@warder/service-host';
import { auditService } from './index.js';

await runService(auditService);
