/** Checks of values which `Lmakefile.ts` gives; types do not bind at run time. */

import { nearest } from "../../nearest.ts";

/** Says what is wrong with a value; whoever asked for the check adds where. */
export class BadValue extends Error {
  /** What to do. */
  readonly hint: string | undefined;

  /**
   * Makes one.
   *
   * @param cause Goes on after the name of the attribute, as `must be …`.
   * @param hint What to do.
   */
  constructor(cause: string, hint?: string) {
    super(cause);
    this.hint = hint;
  }
}

/** Checks a value and returns it in its normal form. */
export type Check<Value> = (value: unknown) => Value;

/** A value in a message. */
export function describe(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(
      value.length > 40 ? `${value.slice(0, 37)}...` : value,
    );
  }
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (value instanceof RegExp) return String(value);
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** Says that a value should have been something else. */
export function expected(what: string, value: unknown): BadValue {
  return new BadValue(`must be ${what}, not ${describe(value)}`);
}

/** Text. */
export function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw expected("a string", value);
}

/** Text that is not empty. */
export function someText(value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw expected("a string that is not empty", value);
}

/** True or false. */
export function flag(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw expected("true or false", value);
}

/** A number of at least `least`. */
export function number(least: number): Check<number> {
  return (value) => {
    if (typeof value === "number" && value >= least && value < Infinity) {
      return value;
    }
    throw expected(`a number of at least ${least}`, value);
  };
}

/** A whole number between two bounds. */
export function whole(least: number, most = Infinity): Check<number> {
  const range = most === Infinity
    ? `of at least ${least}`
    : `from ${least} to ${most}`;
  return (value) => {
    if (Number.isInteger(value)) {
      const count = value as number;
      if (count >= least && count <= most) return count;
    }
    throw expected(`a whole number ${range}`, value);
  };
}

/** One of some words. */
export function oneOf<Word extends string>(
  words: readonly Word[],
): Check<Word> {
  return (value) => {
    if (words.includes(value as Word)) return value as Word;
    const likely = typeof value === "string"
      ? nearest(value, words)
      : undefined;
    throw new BadValue(
      `must be one of ${words.join(", ")}, not ${describe(value)}`,
      likely && `did you mean ${likely}?`,
    );
  };
}

/** An array. */
export function list<Item>(item: Check<Item>): Check<Item[]> {
  return (value) => {
    if (!Array.isArray(value)) throw expected("an array", value);
    return value.map((one, index) => within(`[${index}]`, () => item(one)));
  };
}

/** A string, or several as an array. */
export function words(value: unknown): string[] {
  if (typeof value === "string" && value !== "") return [value];
  if (!Array.isArray(value) || value.length === 0) {
    throw expected("a string or an array of strings", value);
  }
  return list(text)(value);
}

/** An object as one writes it in braces. */
export function plainObject(value: unknown): Record<string, unknown> {
  if (isPlainObject(value)) return value;
  throw expected("an object", value);
}

/** Whether a value is an object as one writes it in braces. */
export function isPlainObject(
  value: unknown,
): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** An object whose values are all alike. */
export function table<Item>(item: Check<Item>): Check<Record<string, Item>> {
  return (value) =>
    Object.fromEntries(
      Object.entries(plainObject(value)).map(([key, one]) => [
        key,
        within(`.${key}`, () => item(one)),
      ]),
    );
}

/** Text, or a number as text. */
export function textOrNumber(value: unknown): string {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return text(value);
}

/** An amount of something: a number, or text such as `2G`. */
export function amount(value: unknown): number | string {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" && value >= 0 && value < Infinity) return value;
  throw expected("a number of at least 0, or a string such as 2G", value);
}

/** Adds to the message where within the attribute the value is. */
export function within<Value>(path: string, check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    // `[0] must be…`, after `deps.X`.
    throw new Within(path, error);
  }
}

/** A {@linkcode BadValue} of something inside the value. */
export class Within extends BadValue {
  /** Where, such as `.X[1]`. */
  readonly path: string;

  /** Makes one from the error of the inner value. */
  constructor(path: string, inner: BadValue) {
    super(inner.message, inner.hint);
    this.path = inner instanceof Within ? path + inner.path : path;
  }
}

/**
 * Refuses keys that are not known.
 *
 * @param noun What a key is, such as `attribute`.
 */
export function refuseUnknownKeys(
  value: Record<string, unknown>,
  known: readonly string[],
  noun: string,
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const likely = nearest(key, known);
    throw new BadValue(
      `has the unknown ${noun} ${key}`,
      likely ? `did you mean ${likely}?` : `known: ${known.join(" ")}`,
    );
  }
}

/**
 * A copy of a value that survives JSON.
 *
 * @throws {BadValue} If it does not.
 */
export function jsonValue(value: unknown, parents: unknown[] = []): unknown {
  if (
    value === null || typeof value === "string" || typeof value === "boolean"
  ) return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (parents.includes(value)) throw new BadValue("contains itself");
  const inner = [...parents, value];
  if (Array.isArray(value)) {
    return value.map((one, index) =>
      within(`[${index}]`, () => jsonValue(one, inner))
    );
  }
  if (isPlainObject(value)) {
    return Object.fromEntries(
      Object.entries(value).filter(([, one]) => one !== undefined)
        .map(([key, one]) => [
          key,
          within(`.${key}`, () => jsonValue(one, inner)),
        ]),
    );
  }
  const kind = typeof value === "object"
    ? `a ${value!.constructor?.name ?? "strange object"}`
    : typeof value === "function" || typeof value === "symbol"
    ? `a ${typeof value}`
    : describe(value);
  throw new BadValue(
    `must survive JSON, and ${kind} does not`,
    "vars are kept with the command: use strings, numbers, booleans, null, " +
      "arrays and plain objects",
  );
}
