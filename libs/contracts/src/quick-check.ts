import { z } from 'zod';

/** The keywords of JSON Schema 2020-12 that a check is made of. */
const KEYWORDS = new Set([
  '$schema',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'propertyNames',
  'items',
  'anyOf',
  'enum',
  'const',
  'minimum',
  'maximum',
  'pattern',
  'format',
]);

type Check = (value: unknown) => boolean;

interface Shape {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Shape | false;
  readonly propertyNames?: Shape;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/**
 * A test, made once from the JSON Schema of `schema`, of what `JSON.parse` gave. It copies nothing and gathers no
 * reasons, which is most of what reading by the schema costs. What it lets through the schema accepts; what it does not
 * let through may still be accepted, so the schema is to be asked then.
 * @throws Error for a schema that says more than it knows to test
 */
export function quickCheck(schema: z.ZodType): Check {
  return checkOf(z.toJSONSchema(schema, { io: 'input' }) as Shape);
}

function checkOf(shape: Shape): Check {
  for (const keyword of Object.keys(shape)) {
    if (!KEYWORDS.has(keyword)) throw new Error(`no quick check of ${keyword}`);
  }
  if (shape.anyOf !== undefined) return anyOf(shape.anyOf.map(checkOf));
  if ('const' in shape) return (value) => value === shape.const;
  if (shape.enum !== undefined) return oneOf(shape.enum);
  if (shape.type === undefined) return () => true;
  if (typeof shape.type !== 'string') return anyOf(shape.type.map((type) => checkOf({ ...shape, type })));
  return typed(shape.type, shape);
}

function typed(type: string, shape: Shape): Check {
  switch (type) {
    case 'null':
      return (value) => value === null;
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'string':
      return text(shape);
    case 'number':
      return number(shape, Number.isFinite);
    case 'integer':
      return number(shape, Number.isSafeInteger);
    case 'array':
      return array(shape);
    case 'object':
      return object(shape);
    default:
      throw new Error(`no quick check of the type ${type}`);
  }
}

function anyOf(checks: readonly Check[]): Check {
  return (value) => {
    for (const check of checks) if (check(value)) return true;
    return false;
  };
}

function oneOf(values: readonly unknown[]): Check {
  const known = new Set(values);
  return (value) => known.has(value);
}

function text({ pattern }: Shape): Check {
  if (pattern === undefined) return (value) => typeof value === 'string';
  const wanted = new RegExp(pattern);
  return (value) => typeof value === 'string' && wanted.test(value);
}

function number({ minimum = -Infinity, maximum = Infinity }: Shape, isOfKind: (value: unknown) => boolean): Check {
  return (value) => isOfKind(value) && (value as number) >= minimum && (value as number) <= maximum;
}

function array({ items = {} }: Shape): Check {
  const check = checkOf(items);
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (const item of value) if (!check(item)) return false;
    return true;
  };
}

function object({ properties = {}, required = [], additionalProperties, propertyNames }: Shape): Check {
  if (additionalProperties === false) throw new Error('no quick check of a strict object');
  if (additionalProperties !== undefined) return dictionary(checkOf(additionalProperties), propertyNames, properties);
  const members = Object.entries(properties).map(([name, member]) => {
    return { name, check: checkOf(member), isRequired: required.includes(name) };
  });
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const fields = value as Record<string, unknown>;
    for (const { name, check, isRequired } of members) {
      const field = fields[name];
      // JSON has no undefined: it is a member that is not there. `hasOwn` tells it from one that every object inherits.
      if (field === undefined ? isRequired : !check(field) || !Object.hasOwn(fields, name)) return false;
    }
    return true;
  };
}

function dictionary(check: Check, names: Shape | undefined, properties: object): Check {
  if (names?.type !== 'string' || Object.keys(names).length > 1 || Object.keys(properties).length > 0)
    throw new Error('no quick check of a dictionary whose names are not free');
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const fields = value as Record<string, unknown>;
    for (const name of Object.keys(fields)) if (!check(fields[name])) return false;
    return true;
  };
}
