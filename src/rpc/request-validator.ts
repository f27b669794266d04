/**
 * Owns how the schema's rules are applied to requests: as protovalidate does, but with a bounded answer. A list of
 * 30,000 wrong values fits into a small request, and telling of each would take seconds and megabytes.
 */
import { createValidator, ValidationError } from '@bufbuild/protovalidate';
import type { Validator } from '@bufbuild/protovalidate';

import { MAX_VIOLATIONS } from '../domain/errors.ts';

export function createRequestValidator(): Validator {
  const validator = createValidator();
  return {
    validate(schema, message) {
      const result = validator.validate(schema, message);
      if (result.kind !== 'invalid' || result.violations.length <= MAX_VIOLATIONS) return result;
      const violations = result.violations.slice(0, MAX_VIOLATIONS);
      return { ...result, violations, error: new ValidationError(violations) };
    },
  };
}
