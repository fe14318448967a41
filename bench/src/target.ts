import type { Measured } from './paired-slices.js';
import type { CallTarget } from './request-template.js';

/** A process under load, and where it takes calls. */
export type Target = Measured & { readonly at: CallTarget };
