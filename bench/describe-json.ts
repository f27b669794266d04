/** Owns the JSON Schema of a value that is there, for servers that write faster what is described to them. */
import type { JsonValue } from '@bufbuild/protobuf';

export interface JsonShape {
  readonly type: 'array' | 'boolean' | 'number' | 'object' | 'string' | 'null';
  readonly items?: JsonShape;
  readonly properties?: Readonly<Record<string, JsonShape>>;
}

/** Of an array, the first element speaks for all. */
export function describeJson(value: JsonValue): JsonShape {
  if (value === null) return { type: 'null' };
  if (Array.isArray(value)) {
    return { type: 'array', items: describeJson(value[0] ?? '') };
  }
  const type = typeof value;
  if (type === 'boolean' || type === 'number' || type === 'string') return { type };
  const entries = Object.entries(value).map(([name, field]) => [name, describeJson(field)]);
  return { type: 'object', properties: Object.fromEntries(entries) };
}
