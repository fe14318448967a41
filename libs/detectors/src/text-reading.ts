import type { FindingCategory } from '@warder/contracts';
import type { Hit } from './detector.js';

/** Whether findings of the category are wanted. */
export type IsAsked = (category: FindingCategory) => boolean;

/** What a text is: some rules make sense in a call's arguments or a tool's definition only. */
export type Reading = 'answer' | 'arguments' | 'definition';

/** Finds what stands in one text; which categories are asked for is the caller's decision. */
export interface TextScanner {
  scan(text: string, isAsked: IsAsked, reading?: Reading): readonly Hit[];
  /** Whether numbers of any size are to be asked about, and not only long ones. */
  readonly readsNumbers?: boolean;
  /** The same for the text of a JSON number, however large. */
  scanNumber(text: string, isAsked: IsAsked): readonly Hit[];
}
