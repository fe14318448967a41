export { Buckets, type Rate } from './buckets.js';
