import { PolicyDocument } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { documentChanges } from './document-changes.js';

const stdio = (entry: string) => ({ transport: { kind: 'stdio', entry } });
const grant = (name: string, tool: string) => ({ name, effect: 'permit', to: { group: 'g' }, tools: [tool] });

describe('the changes of a document', () => {
  it('name what came, went and differs', () => {
    const before = PolicyDocument.parse({ upstreams: { a: stdio('a'), b: stdio('b') }, grants: [grant('x', 'a/*')] });
    const after = PolicyDocument.parse({
      upstreams: { b: stdio('b2'), constructor: stdio('c') },
      grants: [grant('x', 'a/*')],
      limit: { burst: 1 },
    });
    expect(documentChanges(before, after)).toMatchObject({
      upstreams: { added: ['constructor'], removed: ['a'], changed: ['b'] },
      virtualServers: { added: [], removed: [], changed: [] },
      grants: { added: [], removed: [], changed: [] },
      isLimitChanged: true,
    });
  });
});
