/** Plain objects as C structs in memory, and back. */

import { nearest } from "../../nearest.ts";
import type { NumberType, StructField, StructLayout } from "./interface.ts";

/**
 * Writes the fields of an object into the bytes of a struct.
 *
 * @param where How an error calls the object: `area(): argument "p"`.
 * @throws {TypeError} If a field is missing, unknown or of another type.
 */
export function packStruct(
  layout: StructLayout,
  value: Record<string, unknown>,
  where: string,
): Uint8Array<ArrayBuffer> {
  const names = layout.fields.map(({ name }) => name);
  for (const key of Object.keys(value)) {
    if (names.includes(key)) continue;
    const near = nearest(key, names);
    throw new TypeError(
      `${where} has no field "${key}"${near ? `, but "${near}"` : ""}`,
    );
  }
  const bytes = new Uint8Array(layout.size);
  const view = new DataView(bytes.buffer);
  for (const field of layout.fields) {
    if (!Object.hasOwn(value, field.name)) {
      // What cannot be written by name starts as zeros.
      if (!isScalar(field)) continue;
      throw new TypeError(`${where} lacks the field "${field.name}"`);
    }
    const member = value[field.name];
    writeField(view, field, member, `${where}: field "${field.name}"`);
  }
  return bytes;
}

/** Reads the numbers of a struct back into an object. */
export function unpackStruct(
  layout: StructLayout,
  bytes: Uint8Array<ArrayBuffer>,
  target: Record<string, unknown>,
): void {
  const view = new DataView(bytes.buffer);
  for (const { name, offset, type } of layout.fields) {
    if (type.kind === "number") {
      target[name] = readNumber(view, offset, type.type);
    }
  }
}

function isScalar({ type }: StructField): boolean {
  return type.kind === "number";
}

function writeField(
  view: DataView,
  { offset, type }: StructField,
  value: unknown,
  where: string,
): void {
  if (type.kind === "number") {
    writeNumber(view, offset, type.type, value, where);
  } else if (type.kind === "pointer" || type.kind === "string") {
    const isPointer = value === null ||
      typeof value === "object" && Object.getPrototypeOf(value) === null;
    if (!isPointer) {
      throw new TypeError(`${where} must be a pointer or null`);
    }
    const address = Deno.UnsafePointer.value(value as Deno.PointerValue);
    view.setBigUint64(offset, BigInt(address), LITTLE);
  } else {
    throw new TypeError(`${where} cannot be written by name: pass a buffer`);
  }
}

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function writeNumber(
  view: DataView,
  at: number,
  type: NumberType,
  value: unknown,
  where: string,
): void {
  if (type === "bool") {
    if (typeof value !== "boolean") {
      throw new TypeError(`${where} must be true or false`);
    }
    view.setUint8(at, Number(value));
    return;
  }
  if (typeof value !== "number" && typeof value !== "bigint") {
    const found = value === undefined ? "undefined" : `a ${typeof value}`;
    throw new TypeError(`${where} must be a number, not ${found}`);
  }
  checkRange(type, value, where);
  const number = Number(value);
  switch (type) {
    case "i8":
      return view.setInt8(at, number);
    case "u8":
      return view.setUint8(at, number);
    case "i16":
      return view.setInt16(at, number, LITTLE);
    case "u16":
      return view.setUint16(at, number, LITTLE);
    case "i32":
      return view.setInt32(at, number, LITTLE);
    case "u32":
      return view.setUint32(at, number, LITTLE);
    case "f32":
      return view.setFloat32(at, number, LITTLE);
    case "f64":
      return view.setFloat64(at, number, LITTLE);
    case "i64":
      return view.setBigInt64(at, BigInt(value), LITTLE);
    case "u64":
      return view.setBigUint64(at, BigInt(value), LITTLE);
  }
}

/** A number that does not fit would be stored as another. */
function checkRange(
  type: Exclude<NumberType, "bool">,
  value: number | bigint,
  where: string,
): void {
  if (type === "f32" || type === "f64") return;
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw new TypeError(`${where} must be a whole number`);
  }
  const bits = BigInt(type.slice(1));
  const [low, high] = type.startsWith("i")
    ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n)]
    : [0n, 2n ** bits];
  if (low <= BigInt(value) && BigInt(value) < high) return;
  throw new TypeError(`${where} is out of range for ${type}: ${value}`);
}

function readNumber(
  view: DataView,
  at: number,
  type: NumberType,
): number | bigint | boolean {
  switch (type) {
    case "bool":
      return view.getUint8(at) !== 0;
    case "i8":
      return view.getInt8(at);
    case "u8":
      return view.getUint8(at);
    case "i16":
      return view.getInt16(at, LITTLE);
    case "u16":
      return view.getUint16(at, LITTLE);
    case "i32":
      return view.getInt32(at, LITTLE);
    case "u32":
      return view.getUint32(at, LITTLE);
    case "f32":
      return view.getFloat32(at, LITTLE);
    case "f64":
      return view.getFloat64(at, LITTLE);
    case "i64":
      return view.getBigInt64(at, LITTLE);
    case "u64":
      return view.getBigUint64(at, LITTLE);
  }
}
