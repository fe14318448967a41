import { type AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { ocsfEvent } from '@warder/siem-format';
import { describe, expect, it } from 'vitest';
import { ARCHIVED_CLASSES, ocsfStructure } from './ocsf-structure.js';

const KINDS = [
  'call',
  'list',
  'session',
  'authentication',
  'protocol',
  'admin',
  'query',
  'export',
  'erasure',
  'gap',
] as const satisfies readonly AuditRecord['kind'][];

/** Paths of an event that the structure has no column for. */
function missing(value: unknown, structure: unknown, path = ''): string[] {
  if (structure === undefined) return [path];
  if (typeof structure === 'string') {
    return typeof value === 'object' && value !== null && structure !== 'JSON' ? [path] : [];
  }
  if (Array.isArray(structure)) return (value as unknown[]).flatMap((item) => missing(item, structure[0], `${path}[]`));
  return Object.entries(value as object).flatMap(([key, member]) =>
    member === undefined ? [] : missing(member, (structure as Record<string, unknown>)[key], `${path}.${key}`),
  );
}

describe('the columns of the archive', () => {
  it('hold every attribute of every event', () => {
    const example = auditRecordedTopic.example;
    const rich: Partial<AuditRecord> = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      actorChain: [{ id: 'svc_1', kind: 'service' }],
      verified: { client: 'https://client.example', by: 'cimd' },
      refusal: { code: 'WDR_GUARDRAIL_BLOCKED' },
      guardrailsVersion: 3,
      findings: [
        { detector: 'aws', category: 'secret', action: 'redact', phase: 'request', place: '/a', count: 1 },
        { detector: 'card', category: 'pii', action: 'block', phase: 'response', place: '/b', count: 2 },
      ],
      personal: {
        ...example.personal!,
        refusalDetail: 'a guardrail blocked it',
        arguments: { bytes: 99_999, head: '{"a"', sha256: 'a'.repeat(64) },
        result: { bytes: 5, sha256: 'b'.repeat(64) },
      },
    };
    const classes = new Set<number>();
    for (const kind of KINDS) {
      for (const record of [
        { ...example, kind },
        { ...example, ...rich, kind },
        { ...example, kind, personal: null },
      ]) {
        const event = ocsfEvent(record, { leafHash: 'c'.repeat(64) });
        classes.add(event.class_uid);
        expect(missing(JSON.parse(JSON.stringify(event)), JSON.parse(ocsfStructure(event.class_uid)))).toEqual([]);
      }
    }
    expect(classes).toEqual(new Set(ARCHIVED_CLASSES));
    expect(() => ocsfStructure(1)).toThrow(RangeError);
  });
});
