/**
 * Owns one rule of the contract: an enum value that the schema does not name is refused, by name and by number, although
 * fields that it does not name are ignored. The protobuf JSON parser ties the two together (with unknown fields ignored
 * it drops unknown names without a word), and both parsers take any number. Refuses to own every other rule.
 */
import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import type { Path } from '@bufbuild/protobuf/reflect';
import { Violation, violationsToProto } from '@bufbuild/protovalidate';
import { Code, ConnectError } from '@connectrpc/connect';

/** Each check throws `invalid_argument` with a violation that names the field. */
export interface StrictEnums {
  /** Call it on what `JSON.parse` gave, before `fromJson` drops what it does not know. */
  readonly checkJson: (json: unknown) => void;
  /** Call it on what `fromBinary` gave. */
  readonly checkMessage: (message: unknown) => void;
}

/** Returns undefined for a type in which, at any depth, there is no enum: such messages cost nothing. */
export function compileStrictEnums(desc: DescMessage): StrictEnums | undefined {
  if (!reachesEnum(desc)) return undefined;
  const inJson = compileMessage(desc, jsonShape, new Map());
  const inMessage = compileMessage(desc, messageShape, new Map());
  return {
    checkJson: (json) => refuse(inJson(json, 0)),
    checkMessage: (message) => refuse(inMessage(message, 0)),
  };
}

function refuse(steps: Step[] | undefined): void {
  if (steps === undefined) return;
  // The same rule id and words as protovalidate's own `enum.defined_only`, so that callers need to know one form only.
  const violation = new Violation(
    'value must be one of the defined enum values',
    'enum.defined_only',
    steps.toReversed(),
    [],
    false,
  );
  const [value, desc] = violationsToProto([violation]);
  throw new ConnectError(violation.toString(), Code.InvalidArgument, undefined, [{ desc, value }]);
}

type Step = Path[number];
type Container = Readonly<Record<string, unknown>>;

/** Finds the first unknown enum value; its path is built innermost step first, and only when there is one. */
type Find = (value: unknown, depth: number) => Step[] | undefined;

/** How a field is read, and a value known, in one representation of a message. */
interface Shape {
  readonly read: (field: DescField) => (container: Container) => unknown;
  readonly knows: (desc: DescEnum) => (value: unknown) => boolean;
}

const jsonShape: Shape = {
  // Both names are accepted; a message that uses both for one field is refused by the parser.
  read: (field) => (json) => json[field.jsonName] ?? json[field.name],
  knows: (desc) => {
    const names = new Set(desc.values.flatMap((value) => [value.name, value.jsonName]));
    const numbers = new Set(desc.values.map((value) => value.number));
    return (value) => {
      if (typeof value === 'string') return names.has(value);
      // Fractions, booleans and the like are for the parser to refuse; null is an absent value.
      return !Number.isInteger(value) || numbers.has(Number(value));
    };
  },
};

const messageShape: Shape = {
  read: (field) => {
    const { localName, oneof } = field;
    if (oneof === undefined) return (message) => message[localName];
    return (message) => {
      const chosen = message[oneof.localName];
      return isContainer(chosen) && chosen['case'] === localName ? chosen['value'] : undefined;
    };
  },
  knows: (desc) => {
    const numbers = new Set(desc.values.map((value) => value.number));
    return (value) => typeof value !== 'number' || numbers.has(value);
  },
};

/** As deep as the parsers go (`recursionLimit`); what is nested deeper they refuse. */
const MAX_DEPTH = 100;

function compileMessage(desc: DescMessage, shape: Shape, done: Map<DescMessage, Find>): Find {
  const known = done.get(desc);
  if (known !== undefined) return known;
  const finders: ((container: Container, depth: number) => Step[] | undefined)[] = [];
  const find: Find = (value, depth) => {
    if (!isContainer(value) || depth > MAX_DEPTH) return undefined;
    for (const findInField of finders) {
      const steps = findInField(value, depth + 1);
      if (steps !== undefined) return steps;
    }
    return undefined;
  };
  // Before its fields, so that a type that contains itself finds itself.
  done.set(desc, find);
  for (const field of desc.fields) {
    const findValue = compileValue(field, shape, done);
    if (findValue === undefined) continue;
    const findValues = findInEach(field, findValue);
    const read = shape.read(field);
    finders.push((container, depth) => {
      const steps = findValues(read(container), depth);
      steps?.push(field);
      return steps;
    });
  }
  return find;
}

/** For one value of the field: the field itself, an item of the list, a value of the map. */
function compileValue(
  field: DescField,
  shape: Shape,
  done: Map<DescMessage, Find>,
): Find | undefined {
  if (field.enum !== undefined) {
    const knows = shape.knows(field.enum);
    return (value) => (knows(value) ? undefined : []);
  }
  if (field.message !== undefined && reachesEnum(field.message)) {
    return compileMessage(field.message, shape, done);
  }
  return undefined;
}

function findInEach(field: DescField, find: Find): Find {
  if (field.fieldKind === 'list') {
    return (values, depth) => {
      if (!Array.isArray(values)) return undefined;
      for (let index = 0; index < values.length; index++) {
        const steps = find(values[index], depth);
        if (steps !== undefined) return [...steps, { kind: 'list_sub', index }];
      }
      return undefined;
    };
  }
  if (field.fieldKind === 'map') {
    return (values, depth) => {
      if (!isContainer(values) || Array.isArray(values)) return undefined;
      for (const [key, value] of Object.entries(values)) {
        const steps = find(value, depth);
        if (steps === undefined) continue;
        // A violation's path wants other keys as what they are; we have their text, and no such map in the contract.
        return field.mapKey === ScalarType.STRING ? [...steps, { kind: 'map_sub', key }] : steps;
      }
      return undefined;
    };
  }
  return find;
}

/** Well-known types have a JSON form of their own, and no enum that a caller could get wrong. */
function reachesEnum(desc: DescMessage, seen = new Set<DescMessage>()): boolean {
  if (seen.has(desc) || desc.typeName.startsWith('google.protobuf.')) return false;
  seen.add(desc);
  return desc.fields.some(
    (field) =>
      field.enum !== undefined || (field.message !== undefined && reachesEnum(field.message, seen)),
  );
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}
