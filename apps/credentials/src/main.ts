import 'reflect-metadata';
import { runService } from '@warder/service-host';
import { credentialsService } from './index.js';

await runService(credentialsService);
