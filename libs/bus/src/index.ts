export {
  type Bus,
  type BusClock,
  BusError,
  type BusLog,
  type BusMessage,
  type RawEntry,
  type RawMessage,
  type Replica,
  type Subscription,
} from './bus.js';
export { createInProcessBus, type InProcessBusOptions } from './in-process-bus.js';
