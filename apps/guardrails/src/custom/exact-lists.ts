import type { ChangeCustomRules, CustomRules, ExactList } from '@warder/contracts';
import { EXACT_CHARS, exactShape, normalValue } from '@warder/detectors';
import { AdminError } from '@warder/service-host';
import { exactHashes } from '@warder/tokens';

type WrittenList = ChangeCustomRules['exact'][number];

/** Makes lists of hashes of the values that are written; the values themselves are kept nowhere. */
export class ExactLists {
  readonly hashes: ReadonlyMap<string, (normal: string) => string>;

  constructor(private readonly pepper: { readonly current: string; readonly keys: Readonly<Record<string, string>> }) {
    this.hashes = exactHashes(pepper.keys);
  }

  /**
   * The rules as they travel.
   * @throws AdminError 400 WDR_RULES_REFUSED for a value that is too short or too long, or a list to be kept that is not there
   */
  hashed({ exact, ...rules }: ChangeCustomRules, inForce: CustomRules): CustomRules {
    return { ...rules, exact: exact.map((list) => this.listOf(list, inForce.exact)) };
  }

  private listOf({ id, category, what, onError, values }: WrittenList, inForce: readonly ExactList[]): ExactList {
    const described = { id, category, what, onError };
    if (values !== undefined) return { ...described, ...this.hashedValues(id, values) };
    const known = inForce.find((list) => list.id === id);
    if (known === undefined) throw refused(`${id} is to be kept, and is not there`);
    const { keyId, shape, hashes } = known;
    return { ...described, keyId, shape, hashes };
  }

  private hashedValues(id: string, values: readonly string[]): Pick<ExactList, 'keyId' | 'shape' | 'hashes'> {
    const normals = values.map(normalValue);
    // The place and not the value: a refusal is on record.
    const wrong = normals.findIndex(({ length }) => length < EXACT_CHARS.min || length > EXACT_CHARS.max);
    if (wrong >= 0)
      throw refused(`${id} values[${wrong}] has not ${EXACT_CHARS.min} to ${EXACT_CHARS.max} letters and digits`);
    const hash = this.hashes.get(this.pepper.current)!;
    // In an order that says nothing of the values.
    const hashes = [...new Set(normals.map(hash))].toSorted();
    return { keyId: this.pepper.current, shape: exactShape(normals), hashes };
  }
}

/** A list as people see it: how many values it has, and none of their hashes. */
export type ExactListView = Omit<ExactList, 'hashes' | 'shape'> & { readonly values: number };

/** The lists' views. */
export function viewOfLists(lists: readonly ExactList[]): readonly ExactListView[] {
  return lists.map(({ hashes, shape: _shape, ...list }) => ({ ...list, values: hashes.length }));
}

const refused = (message: string): AdminError => new AdminError(400, 'WDR_RULES_REFUSED', message);
