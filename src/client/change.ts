/** Owns the three words for changing a field that may be absent from a request: leave, set and clear. */

/** Leaves a field as it is; the same as not naming it. */
export interface Leave {
  readonly kind: 'leave';
}

/** Gives a field a value. */
export interface SetTo<Value> {
  readonly kind: 'set';
  readonly value: Value;
}

/** Empties a field. */
export interface Clear {
  readonly kind: 'clear';
}

/** What may happen to a field that cannot be empty. */
export type Change<Value> = Leave | SetTo<Value>;

/** What may happen to a field that can be empty. */
export type ClearableChange<Value> = Change<Value> | Clear;

/** Leaves a field as it is; the same as not naming it. */
export const leave: Leave = { kind: 'leave' };

/** Empties a field. */
export const clear: Clear = { kind: 'clear' };

/** Gives a field this value. */
export function set<const Value>(value: Value): SetTo<Value> {
  return { kind: 'set', value };
}

/** The value to put into a request: `undefined` leaves the field, `empty` is how the contract spells a cleared one. */
export function resolveChange<Value>(
  change: ClearableChange<Value> | undefined,
  empty: Value,
): Value | undefined {
  if (change === undefined || change.kind === 'leave') return undefined;
  return change.kind === 'clear' ? empty : change.value;
}

/** The same for a field that cannot be empty. */
export function resolveSet<Value>(change: Change<Value> | undefined): Value | undefined {
  return change?.kind === 'set' ? change.value : undefined;
}
