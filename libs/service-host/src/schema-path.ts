import { z } from 'zod';

/** The schemas a value at `path` may have; through options, defaults, records and unions. Empty: no such key. */
export function schemasAt(schema: z.core.$ZodType, path: readonly string[]): z.core.$ZodType[] {
  const [key, ...rest] = path;
  if (key === undefined) return unwrap(schema);
  return unwrap(schema).flatMap((candidate) => {
    if (candidate instanceof z.ZodObject) {
      const member = candidate.shape[key] as z.core.$ZodType | undefined;
      return member === undefined ? [] : schemasAt(member, rest);
    }
    if (candidate instanceof z.ZodRecord) return schemasAt(candidate.valueType, rest);
    return [];
  });
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option: z.core.$ZodType) => unwrap(option));
  if (schema instanceof z.ZodIntersection) return [...unwrap(schema.def.left), ...unwrap(schema.def.right)];
  if (schema instanceof z.ZodPipe) return unwrap(schema.def.in);
  if (schema instanceof z.ZodLazy) return unwrap(schema.unwrap());
  if ('innerType' in schema._zod.def) return unwrap(schema._zod.def.innerType as z.core.$ZodType);
  return [schema];
}
