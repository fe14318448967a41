import 'reflect-metadata';
import { runService } from '@warder/service-host';
import { ingressService } from './index.js';

await runService(ingressService);
