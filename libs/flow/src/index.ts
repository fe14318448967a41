export { type CriticalValue, criticalValues, LEAF_CHARS_MAX } from './critical-values.js';
export { decide, type FlowCall, type FlowDecision, type FlowRules } from './decide.js';
export { type FlowMode, flowOfUpstream, flowSettingsOf } from './flow-settings.js';
export { bitsOf, has, LABEL_BIT, namesOf } from './labels.js';
export { observe, type Observed } from './observe.js';
export { type FlowSource, hashOf, newRun, type Run, SOURCES_MAX, VALUES_MAX } from './run.js';
export { type Annotated, labelsOf, SINKS } from './tool-labels.js';
