/**
 * Owns which values last: the store gives the same object for them again and again, so what is made of one is worth
 * keeping with it. Nobody changes such a value, nor what was made of it.
 */
const lasting = new WeakSet();

export function markLasting<Value extends object>(value: Value): Value {
  lasting.add(value);
  return value;
}

export function isLasting(value: object): boolean {
  return lasting.has(value);
}

/** Does `make` once for each value that lasts, and each time for any other. What is made of the former lasts, too. */
export function makeOnce<Value extends object, Made extends object>(
  make: (value: Value) => Made,
): (value: Value) => Made {
  const kept = new WeakMap<Value, Made>();
  return (value) => {
    const known = kept.get(value);
    if (known !== undefined) return known;
    const made = make(value);
    if (isLasting(value)) kept.set(value, markLasting(made));
    return made;
  };
}
