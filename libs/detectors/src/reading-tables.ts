import type { Detector, SignDetector } from './detector.js';
import { GramTable } from './gram-table.js';
import type { Reading } from './text-reading.js';

/** Who is asked in a text of each reading: what is said of definitions alone must not wake anybody in an answer. */
export function tablesOf(detectors: readonly Detector[]): Readonly<Record<Reading, GramTable>> {
  const of = (reading: Reading): GramTable => tableOf(detectors, reading);
  return { answer: of('answer'), arguments: of('arguments'), definition: of('definition') };
}

function tableOf(detectors: readonly Detector[], reading: Reading): GramTable {
  const table = new GramTable();
  for (const detector of detectors) {
    if (detector.trigger === 'literal') {
      if (detector.scope === undefined || detector.scope === reading) table.announce(detector);
    } else if (detector.trigger === 'window') table.announceWindow(detector);
    else if (detector.trigger !== 'hidden' && !isSign(detector)) table.announceShape(detector);
  }
  return table;
}

/** Whether it is asked at signs. */
export const isSign = (detector: Detector): detector is SignDetector =>
  detector.trigger === 'at-sign' || detector.trigger === 'plus-sign';
