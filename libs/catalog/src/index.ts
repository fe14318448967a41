export { Catalog, type VisibleTools } from './catalog.js';
export { type DefinitionPins, type DefinitionStanding, isShown, standingOf, UpstreamPins } from './definition-pins.js';
export { EXPOSED_NAME_MAX, exposedNameOf } from './exposed-name.js';
export { buildExposure, type ExposedTool, type Exposure, type NameCollision } from './exposure.js';
