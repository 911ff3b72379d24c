/** Values on their way to Python and back: JSON, and attached bytes. */

/** A typed array of more or less than one dimension has this. */
export interface Shaped {
  /** Length of each dimension. */
  shape?: number[];
}

const CODES = [
  ["i1", Int8Array],
  ["i2", Int16Array],
  ["u2", Uint16Array],
  ["i4", Int32Array],
  ["u4", Uint32Array],
  ["i8", BigInt64Array],
  ["u8", BigUint64Array],
  ["f4", Float32Array],
  ["f8", Float64Array],
  ["u1", Uint8Array],
] as const;

/** How deep values may be inside of each other. */
const MAX_DEPTH = 200;

/**
 * Turns values into JSON.
 *
 * @param parts Gets the bytes that go along.
 * @throws {TypeError} For what has no form in Python, with its place.
 */
export function encodeArguments(
  args: readonly unknown[],
  parts: Uint8Array[],
): unknown[] {
  const open = new Set<object>();
  return args.map((arg, index) =>
    encode(arg, `arguments[${index}]`, parts, open)
  );
}

function encode(
  value: unknown,
  path: string,
  parts: Uint8Array[],
  open: Set<object>,
): unknown {
  switch (typeof value) {
    case "undefined":
      return null;
    case "string":
    case "boolean":
      return value;
    case "bigint":
      return { $: "int", v: value.toString(16) };
    case "number":
      return Number.isFinite(value) ? value : { $: "float", v: String(value) };
    case "object":
      break;
    default:
      throw new TypeError(`cannot pass a ${typeof value} at ${path}`);
  }
  if (value === null) return null;
  if (value instanceof ArrayBuffer) value = new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return encodeView(value, path, parts);
  if (open.has(value as object)) {
    throw new TypeError(`a value holds itself at ${path}`);
  }
  if (open.size > MAX_DEPTH) {
    throw new TypeError(`values are too deep inside of each other at ${path}`);
  }
  open.add(value as object);
  try {
    if (Array.isArray(value)) {
      return value.map((item, i) => encode(item, `${path}[${i}]`, parts, open));
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const name = (value as object).constructor?.name ?? "object";
      throw new TypeError(`cannot pass a ${name} at ${path}`);
    }
    const pairs = Object.entries(value as object).map(([key, item]) =>
      [key, encode(item, `${path}.${key}`, parts, open)] as const
    );
    return pairs.some(([key]) => key === "$")
      ? { $: "dict", v: pairs }
      : Object.fromEntries(pairs);
  } finally {
    open.delete(value as object);
  }
}

function encodeView(
  view: ArrayBufferView & Shaped & { length?: number },
  path: string,
  parts: Uint8Array[],
): unknown {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const index = parts.push(bytes) - 1;
  const { shape, length = 0 } = view;
  if (view instanceof Uint8Array && !shape) return { $: "bytes", i: index };
  const code = CODES.find(([, type]) => view instanceof type)?.[0];
  if (!code) {
    throw new TypeError(`cannot pass a ${view.constructor.name} at ${path}`);
  }
  return { $: "array", i: index, t: code, s: shape ?? [length] };
}

/** Turns what Python sent into values. */
export function decodeValue(
  value: unknown,
  parts: readonly Uint8Array<ArrayBuffer>[],
): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item) => decodeValue(item, parts));
  }
  const { $: mark, v, i, t, s } = value as Record<string, unknown>;
  switch (mark) {
    case undefined:
      return Object.fromEntries(
        Object.entries(value).map(([k, item]) => [k, decodeValue(item, parts)]),
      );
    case "int":
      return bigintOf(v as string);
    case "float":
      return v === "nan" ? NaN : v === "inf" ? Infinity : -Infinity;
    case "dict":
      return Object.fromEntries(
        (v as [string, unknown][]).map(([k, item]) => [
          k,
          decodeValue(item, parts),
        ]),
      );
    case "bytes":
      return parts[i as number];
    default:
      return decodeArray(parts[i as number]!, t as string, s as number[]);
  }
}

/** Hexadecimal: Python refuses to write more than 4300 decimal digits. */
function bigintOf(text: string): bigint {
  return text.startsWith("-")
    ? -BigInt(`0x${text.slice(1)}`)
    : BigInt(`0x${text}`);
}

function decodeArray(
  bytes: Uint8Array<ArrayBuffer>,
  code: string,
  shape: number[],
): unknown {
  const Type = CODES.find(([name]) => name === code)?.[1] ?? Uint8Array;
  // Cut out of a frame, the bytes need not lie where numbers may.
  const array = new Type(bytes.slice().buffer);
  if (shape.length === 1) return array;
  return Object.assign(array, { shape });
}
