import type { Detector, Span, WindowDetector } from './detector.js';
import type { IsAsked } from './text-reading.js';

/**
 * The places at which detectors of operators are to be asked, found in one sweep and read after it: those that touch
 * are read as one, so that a text of nothing but its grams costs each detector one look at all of it.
 */
export class OpenWindows {
  /** Pairs of beginning and end. */
  private readonly places = new Map<WindowDetector, number[]>();

  /** Those that name no grams are asked about all of a text. */
  private readonly everywhere: readonly WindowDetector[];

  constructor(detectors: readonly Detector[]) {
    this.everywhere = detectors.filter(
      (detector): detector is WindowDetector => detector.trigger === 'window' && detector.grams.length === 0,
    );
  }

  clear(): void {
    if (this.places.size > 0) this.places.clear();
  }

  /** @param at - the gram's last character; it grows from call to call */
  open(detector: WindowDetector, at: number): void {
    const from = Math.max(0, at - detector.around);
    const to = at + detector.around + 1;
    const places = this.places.get(detector);
    if (places === undefined) this.places.set(detector, [from, to]);
    else if (from <= (places.at(-1) ?? 0)) places[places.length - 1] = to;
    else places.push(from, to);
  }

  read(text: string, isAsked: IsAsked, found: (detector: WindowDetector, span: Span) => void): void {
    for (const detector of this.everywhere)
      if (isAsked(detector.category)) for (const span of detector.matchAll(text, 0, text.length)) found(detector, span);
    for (const [detector, places] of this.places) {
      for (let index = 0; index < places.length; index += 2) {
        const [from, to] = [places[index] ?? 0, places[index + 1] ?? 0];
        for (const span of detector.matchAll(text, from, Math.min(to, text.length))) found(detector, span);
      }
    }
  }
}
