/** Owns the reading of enums: values that the schema lets pass and the use case cannot take are refused. */
import { createViolationError } from '../domain/errors.ts';

export function createEnumReader<Value extends string>(
  values: readonly Value[],
  numbers: Readonly<Record<Value, number>>,
  choice: string,
) {
  return (number: number, field: string): Value => {
    const value = values.find((candidate) => numbers[candidate] === number);
    if (value !== undefined) return value;
    throw createViolationError([{ field, rule: 'enum.defined', message: `must be ${choice}` }]);
  };
}
