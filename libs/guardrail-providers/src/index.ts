export { type ClientClock, type GiveUp, type ProviderAnswer, ProviderClient } from './provider-client.js';
export { type Asked, type Sighting } from './provider-kind.js';
export { type Cut, type JoinedTexts, joinTexts, withCuts } from './texts.js';
