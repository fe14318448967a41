export { BalancerConfig } from './balancer-config.js';
export { balancerService } from './balancer.module.js';
