import 'reflect-metadata';
import { runService } from '@warder/service-host';
import { guardrailsService } from './index.js';

await runService(guardrailsService);
