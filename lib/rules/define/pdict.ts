/** Tables whose items are properties. */

/** A map, or what is in one, with properties for items, throughout. */
export type Pdict<Value> = Value extends Map<string, infer Item>
  ? Record<string, Pdict<Item>>
  : Value extends (...args: never[]) => unknown ? Value
  : Value extends readonly unknown[]
    ? { [Index in keyof Value]: Pdict<Value[Index]> }
  : Value extends object ? { -readonly [Key in keyof Value]: Pdict<Value[Key]> }
  : Value;

/**
 * Makes tables whose items are properties of maps, throughout.
 *
 * Plain objects and arrays are copied, maps become objects; anything else
 * stays as it is.
 */
export function pdict<const Value>(value: Value): Pdict<Value> {
  return convert(value) as Pdict<Value>;
}

function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert);
  if (value instanceof Map) return fromEntries(value);
  if (typeof value !== "object" || value === null) return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return value;
  return fromEntries(Object.entries(value));
}

function fromEntries(entries: Iterable<[unknown, unknown]>): unknown {
  return Object.fromEntries(
    [...entries].map(([key, one]) => [String(key), convert(one)]),
  );
}
