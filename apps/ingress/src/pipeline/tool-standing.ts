import type { ExposedTool } from '@warder/catalog';
import type { Finding } from '@warder/contracts';

/** Whether the policy shows a tool though nobody accepted its definition. */
export function isFlagged({ standing }: Pick<ExposedTool, 'standing'>): boolean {
  return standing === 'new' || standing === 'changed';
}

/** What a record says of such a tool. */
export function standingFinding({ standing }: Pick<ExposedTool, 'standing'>, phase: Finding['phase']): Finding {
  return { detector: `definition.${standing}`, category: 'definition', action: 'flag', phase, place: '', count: 1 };
}
