/**
 * Owns values that may be there already. What every call looks up is mostly remembered, and a promise of it, with the
 * steps that wait for it, costs more than the look-up.
 */
export type Awaitable<Value> = Value | Promise<Value>;

/** Goes on with the value, at once where it is there. What `goOn` throws is thrown then, and a rejection otherwise. */
export function whenReady<Value, Result>(
  value: Awaitable<Value>,
  goOn: (value: Value) => Awaitable<Result>,
): Awaitable<Result> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}
