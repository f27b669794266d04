/**
 * Owns the finding of U+0000 in a request. PostgreSQL cannot store it and SQLite can, so no text may hold it, whatever
 * the database. It refuses to own what becomes of the request (`request-validator.ts`).
 */
import { isMessage, ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import type { Path } from '@bufbuild/protobuf/reflect';

const NUL = '\0';

/** The fields of a message that can hold text, themselves or further in. */
const textFields = new WeakMap<DescMessage, readonly DescField[]>();

/** The way to the first text with the character in it, if there is one. */
export function findNulCharacter(schema: DescMessage, message: Message): Path | undefined {
  for (const field of listTextFields(schema)) {
    const way = findInField(field, readField(message, field));
    if (way !== undefined) return [field, ...way];
  }
  return undefined;
}

function listTextFields(schema: DescMessage): readonly DescField[] {
  const known = textFields.get(schema);
  if (known !== undefined) return known;
  const fields = schema.fields.filter(canHoldText);
  textFields.set(schema, fields);
  return fields;
}

function canHoldText(field: DescField): boolean {
  if (field.fieldKind === 'map') return true;
  return field.message !== undefined || field.scalar === ScalarType.STRING;
}

function readField(message: Message, { localName, oneof }: DescField): unknown {
  // A message is an object of its fields, and a oneof is one of its own.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  if (oneof === undefined) return fields[localName];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const chosen = fields[oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}

function findInField(field: DescField, value: unknown): Path | undefined {
  if (field.fieldKind === 'list' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const way = findInValue(field.message, item);
      if (way !== undefined) return [{ kind: 'list_sub', index }, ...way];
    }
    return undefined;
  }
  if (field.fieldKind === 'map') {
    for (const [key, item] of Object.entries(value ?? {})) {
      // The key itself is not repeated: it is what cannot be told.
      if (key.includes(NUL)) return [];
      const way = findInValue(field.message, item);
      if (way !== undefined) return [{ kind: 'map_sub', key }, ...way];
    }
    return undefined;
  }
  return findInValue(field.message, value);
}

function findInValue(schema: DescMessage | undefined, value: unknown): Path | undefined {
  if (schema !== undefined && isMessage(value, schema)) return findNulCharacter(schema, value);
  return holdsNul(value) ? [] : undefined;
}

/** In text, or in the JSON that a `google.protobuf.Struct` is. */
function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(NUL);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  return Object.entries(value).some(([key, item]) => key.includes(NUL) || holdsNul(item));
}
