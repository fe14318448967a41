import type { OcsfAttribute, OcsfClassEntity, OcsfEntity, OcsfSchema } from './ocsf-schema.js';

type Members = Readonly<Record<string, unknown>>;

/**
 * What keeps an event from being one of the published schema, each as `<path>: <fault>`; empty for a valid one.
 * Stricter than the schema's own validator: what that warns of (a caption that is not its number's, a deprecated
 * attribute, an attribute of a profile that the event does not claim) is a fault here.
 * @param event - as a receiver parses it
 */
export function ocsfFaults(schema: OcsfSchema, event: unknown): string[] {
  if (!isMembers(event)) return [': not an object'];
  const entity = Object.values(schema.classes).find(({ uid }) => uid === event.class_uid);
  if (entity === undefined) return ['class_uid: no such class'];
  return new Validation(schema, profilesOf(event)).event(entity, event);
}

function profilesOf({ metadata }: Members): readonly string[] {
  const profiles = isMembers(metadata) ? metadata.profiles : undefined;
  return Array.isArray(profiles) ? profiles.filter((profile) => typeof profile === 'string') : [];
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One event's check, which collects what it finds. */
class Validation {
  private readonly faults: string[] = [];

  constructor(
    private readonly schema: OcsfSchema,
    private readonly profiles: readonly string[],
  ) {}

  event(entity: OcsfClassEntity, event: Members): string[] {
    if (event.category_uid !== entity.category_uid) this.say('category_uid', 'not the category of its class');
    if (event.type_uid !== Number(event.class_uid) * 100 + Number(event.activity_id)) {
      this.say('type_uid', 'not class_uid * 100 + activity_id');
    }
    const version = isMembers(event.metadata) ? event.metadata.version : undefined;
    if (version !== this.schema.version) this.say('metadata.version', `not ${this.schema.version}`);
    for (const profile of this.profiles) {
      if (!entity.profiles?.includes(profile)) this.say('metadata.profiles', `${profile} is no profile of the class`);
    }
    this.members(entity, event, '');
    return this.faults;
  }

  private say(path: string, fault: string): void {
    this.faults.push(`${path}: ${fault}`);
  }

  private members(entity: OcsfEntity, members: Members, path: string): void {
    for (const [name, value] of Object.entries(members)) {
      const at = path === '' ? name : `${path}.${name}`;
      const attribute = Object.hasOwn(entity.attributes, name) ? entity.attributes[name] : undefined;
      if (attribute === undefined) this.say(at, 'unknown attribute');
      else if (!this.isClaimed(attribute)) this.say(at, `of a profile that is not claimed`);
      else this.attribute(attribute, value, at, members);
    }
    for (const [name, attribute] of Object.entries(entity.attributes)) {
      const isMissing = attribute.requirement === 'required' && this.isClaimed(attribute) && !(name in members);
      if (isMissing) this.say(path === '' ? name : `${path}.${name}`, 'required and missing');
    }
    const { at_least_one: some, just_one: one } = entity.constraints ?? {};
    if (some && !some.some((name) => name in members)) this.say(path, `at least one of ${some.join(', ')}`);
    if (one && one.filter((name) => name in members).length !== 1) this.say(path, `just one of ${one.join(', ')}`);
  }

  private isClaimed({ profiles }: OcsfAttribute): boolean {
    return !profiles || profiles.some((profile) => this.profiles.includes(profile));
  }

  private attribute(attribute: OcsfAttribute, value: unknown, path: string, beside: Members): void {
    if (attribute['@deprecated']) this.say(path, 'deprecated');
    if (!attribute.is_array) return this.value(attribute, value, path, beside);
    if (!Array.isArray(value)) return this.say(path, 'not an array');
    value.forEach((item, index) => this.value(attribute, item, `${path}[${index}]`, beside));
  }

  private value(attribute: OcsfAttribute, value: unknown, path: string, beside: Members): void {
    if (attribute.type === 'object_t') return this.object(attribute.object_type ?? '', value, path);
    const fault = this.scalarFault(attribute.type, value);
    if (fault !== undefined) return this.say(path, fault);
    if (attribute.enum) this.enumerated(attribute, attribute.enum, value, path, beside);
  }

  private object(type: string, value: unknown, path: string): void {
    if (!isMembers(value)) return this.say(path, 'not an object');
    const entity = this.schema.objects[type];
    if (entity === undefined) return this.say(path, `no such object: ${type}`);
    // `object` alone has no attributes: it holds anything.
    if (type !== 'object') this.members(entity, value, path);
  }

  private enumerated(
    { sibling }: OcsfAttribute,
    values: NonNullable<OcsfAttribute['enum']>,
    value: unknown,
    path: string,
    beside: Members,
  ): void {
    const entry = values[String(value)];
    if (entry === undefined) return this.say(path, `${String(value)} is not of the enumeration`);
    if (sibling === undefined) return;
    const caption = beside[sibling];
    if (value === 99 ? typeof caption !== 'string' : caption !== undefined && caption !== entry.caption) {
      this.say(path, `${sibling} is not its caption`);
    }
  }

  private scalarFault(type: string, value: unknown): string | undefined {
    const { type: wider, regex, max_len: lengthMax, range } = this.schema.dictionary.types.attributes[type] ?? {};
    if (wider !== undefined) {
      const fault = this.scalarFault(wider, value);
      if (fault !== undefined) return fault;
    } else if (!isOfType(type, value)) return `not a ${type}`;
    if (regex !== undefined && !new RegExp(regex).test(String(value))) return `not of the form of a ${type}`;
    if (lengthMax !== undefined && String(value).length > lengthMax) return `longer than ${lengthMax}`;
    const isOutside = range !== undefined && (Number(value) < range[0] || Number(value) > range[1]);
    return isOutside ? 'out of its range' : undefined;
  }
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'string_t':
      return typeof value === 'string';
    case 'integer_t':
    case 'long_t':
      return Number.isSafeInteger(value);
    case 'float_t':
      return typeof value === 'number';
    case 'boolean_t':
      return typeof value === 'boolean';
    case 'json_t':
      return value !== undefined;
    default:
      return false;
  }
}
