import { readFileSync } from 'node:fs';
import { AuditIntent, AuditOutcome, auditRecordedTopic, PersonalPart } from '@warder/contracts';
import { ecsDocument, ocsfEvent, RECORD_FIELDS } from '@warder/siem-format';
import { describe, expect, it } from 'vitest';
import { siemFormatsPage } from './siem-formats-doc.mjs';

const page = readFileSync(new URL('../docs/siem/formats.md', import.meta.url), 'utf8');

describe('the page about formats', () => {
  it('says what the formats do with each field, and what they add', async () => {
    expect(page).toBe(await siemFormatsPage({ RECORD_FIELDS, ocsfEvent, ecsDocument }, auditRecordedTopic.example));
  });

  it('names every member of a record but the salt, and no format leaves one out', () => {
    const members = [
      'log',
      'sequence',
      'index',
      'commitment',
      ...Object.keys({ ...AuditIntent.shape, ...AuditOutcome.shape }),
      ...Object.keys(PersonalPart.shape).map((name) => `personal.${name}`),
    ];
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const unnamed = members.filter((name) => !rows.some((row) => /^\| `[^`]+/.exec(row)![0].startsWith(`| \`${name}`)));
    expect(unnamed).toEqual(['personal.salt']);
    expect(page).not.toContain('not there');
    expect(page).not.toContain('c2FsdHNhbHRzYWx0c2FsdA');
  });
});
