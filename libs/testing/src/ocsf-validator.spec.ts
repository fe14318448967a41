import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type OcsfSchema, resolveOcsfSchema } from './ocsf-schema.js';
import { ocsfFaults } from './ocsf-validator.js';

const valid = {
  class_uid: 6003,
  class_name: 'API Activity',
  category_uid: 6,
  category_name: 'Application Activity',
  activity_id: 2,
  activity_name: 'Read',
  type_uid: 600302,
  type_name: 'API Activity: Read',
  severity_id: 1,
  severity: 'Informational',
  time: 1_790_000_000_000,
  metadata: { version: '1.8.0', product: { name: 'p' }, profiles: ['security_control', 'datetime'] },
  actor: { user: { uid: 'u', email_addr: 'a@example.com' } },
  api: { operation: 'o', request: { uid: 'r', data: null } },
  src_endpoint: { ip: '10.0.0.1', port: 65_535 },
  resources: [{ uid: 'r' }],
  action_id: 1,
  unmapped: { anything: { at: [null] } },
};

/** One fault in an event that is valid otherwise, and what is said of it. */
const FAULTS: readonly [string, object, string][] = [
  ['a required attribute is missing', { api: undefined }, 'api: required and missing'],
  ['one is missing in an object', { api: { operation: 'o', request: {} } }, 'api.request.uid: required and missing'],
  ['a type is another', { time: '2026-01-01' }, 'time: not a long_t'],
  ['a number is no integer', { time: 1.5 }, 'time: not a long_t'],
  ['a value is null', { message: null }, 'message: not a string_t'],
  ['an object is none', { actor: 'me' }, 'actor: not an object'],
  ['an array is none', { resources: { uid: 'r' } }, 'resources: not an array'],
  ['an item is another type', { resources: ['r'] }, 'resources[0]: not an object'],
  ['a form is not kept', { src_endpoint: { ip: 'here' } }, 'src_endpoint.ip: not of the form of a ip_t'],
  ['a length is exceeded', { src_endpoint: { ip: `${' '.repeat(40)}10.0.0.1` } }, 'src_endpoint.ip: longer than 40'],
  ['a range is left', { src_endpoint: { port: 65_536, name: 'n' } }, 'src_endpoint.port: out of its range'],
  ['a number is not of its enumeration', { severity_id: 7 }, 'severity_id: 7 is not of the enumeration'],
  ['a caption is not its number’s', { severity: 'Low' }, 'severity_id: severity is not its caption'],
  [
    'an other is not named',
    { activity_id: 99, activity_name: undefined, type_uid: 600399, type_name: undefined },
    'activity_id: activity_name is not its caption',
  ],
  ['an attribute is unknown', { tool: 'echo' }, 'tool: unknown attribute'],
  ['one is unknown in an object', { actor: { user: { uid: 'u', tool: 1 } } }, 'actor.user.tool: unknown attribute'],
  [
    'one comes from a prototype',
    { src_endpoint: { ip: '10.0.0.1', toString: 1 } },
    'src_endpoint.toString: unknown attribute',
  ],
  ['a profile is not claimed', { cloud: { provider: 'x' } }, 'cloud: of a profile that is not claimed'],
  [
    'a profile is not of the class',
    { metadata: { ...valid.metadata, profiles: ['security_control', 'incident'] } },
    'metadata.profiles: incident is no profile of the class',
  ],
  [
    'a claimed profile wants more',
    { metadata: { ...valid.metadata, profiles: ['security_control', 'cloud'] } },
    'cloud: required and missing',
  ],
  ['none of some is there', { actor: { user: { type_id: 1 } } }, 'actor.user: at least one of account, name, uid'],
  [
    'the type is not of class and activity',
    { type_uid: 600301, type_name: 'API Activity: Create' },
    'type_uid: not class_uid * 100 + activity_id',
  ],
  ['the category is another', { category_uid: 1 }, 'category_uid: not the category of its class'],
  ['the version is another', { metadata: { ...valid.metadata, version: '1.7.0' } }, 'metadata.version: not 1.8.0'],
  ['the class is none', { class_uid: 6999 }, 'class_uid: no such class'],
];

describe('the validator of OCSF events', () => {
  let schema: OcsfSchema;
  beforeAll(async () => {
    schema = await resolveOcsfSchema();
  }, 320_000);

  it('accepts a valid event', () => {
    expect(ocsfFaults(schema, valid)).toEqual([]);
  });

  it.each(FAULTS)('names the fault when %s', (_, change, fault) => {
    expect(ocsfFaults(schema, JSON.parse(JSON.stringify({ ...valid, ...change })))).toContain(fault);
  });

  it('names two of which one is allowed', () => {
    const attribute = { type: 'string_t', requirement: 'optional' } as const;
    const object = { name: 'o', attributes: { a: attribute, b: attribute }, constraints: { just_one: ['a', 'b'] } };
    const made = { ...schema, objects: { ...schema.objects, resource_details: object } };
    expect(ocsfFaults(made, { ...valid, resources: [{ a: 'x', b: 'y' }, { a: 'x' }, {}] })).toEqual([
      'resources[0]: just one of a, b',
      'resources[2]: just one of a, b',
    ]);
  });

  it('names a deprecated attribute', () => {
    const { api_activity: known } = schema.classes;
    const attributes = { ...known!.attributes, message: { ...known!.attributes.message!, '@deprecated': {} } };
    const made = { ...schema, classes: { api_activity: { ...known!, attributes } } };
    expect(ocsfFaults(made, { ...valid, message: 'm' })).toEqual(['message: deprecated']);
  });
});

describe('the schema', () => {
  it('is refused with one sentence when what is cached is not what is pinned', async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'warder-ocsf-'));
    await writeFile(join(cacheDir, '1.8.0.json'), '{"version":"1.8.0"}');
    vi.stubEnv('WARDER_OCSF_CACHE', cacheDir);
    try {
      await expect(resolveOcsfSchema()).rejects.toThrow(
        'No OCSF schema for the tests: install Python 3 with pip so that ocsf-json-schema==1.2.0 can be resolved ' +
          '(the schema in the cache is not the one that is pinned).',
      );
    } finally {
      vi.unstubAllEnvs();
      await rm(cacheDir, { recursive: true });
    }
  });
});
