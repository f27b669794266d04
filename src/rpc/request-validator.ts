/**
 * Owns how the schema's rules are applied to requests: as protovalidate does, but with a bounded answer. A list of
 * 30,000 wrong values fits into a small request, and telling of each would take seconds and megabytes. One rule is over
 * all text of all requests: no U+0000.
 */
import { createValidator, ValidationError, Violation } from '@bufbuild/protovalidate';
import type { Validator } from '@bufbuild/protovalidate';

import { MAX_VIOLATIONS } from '../domain/errors.ts';
import { findNulCharacter } from './nul-character.ts';

export function createRequestValidator(): Validator {
  const validator = createValidator();
  return {
    validate(schema, message) {
      const path = findNulCharacter(schema, message);
      if (path !== undefined) {
        const text = 'must not hold the character U+0000; leave it out';
        const violations = [new Violation(text, 'text.no_nul', path, [], false)];
        return { kind: 'invalid', message, violations, error: new ValidationError(violations) };
      }
      const result = validator.validate(schema, message);
      if (result.kind !== 'invalid' || result.violations.length <= MAX_VIOLATIONS) return result;
      const violations = result.violations.slice(0, MAX_VIOLATIONS);
      return { ...result, violations, error: new ValidationError(violations) };
    },
  };
}
