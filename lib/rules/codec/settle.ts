/** Which code a value gets, and who yields when two want the same. */

import type { Association } from "./line.ts";

/** Digits of a checksum, and so of the longest automatic code. */
export const MAX_LENGTH = 16;

/** Checksum of a value: 16 lower-case hex digits. */
export type SumOf = (value: string) => string;

/**
 * The first digits of a checksum, as few as are free.
 *
 * @param length Least length, 1 to 16.
 * @param isTaken Whether another value of the context has a code.
 */
export function automaticCode(
  sum: string,
  length: number,
  isTaken: (code: string) => boolean,
): string {
  for (let n = length; n <= MAX_LENGTH; n++) {
    const code = sum.slice(0, n);
    if (!isTaken(code)) return code;
  }
  // Somebody chose all the digits for another value by hand.
  return numberedCode(sum, isTaken);
}

/** A code with the first number after it that is free: `mycode0`. */
export function numberedCode(
  code: string,
  isTaken: (code: string) => boolean,
): string {
  for (let n = 0;; n++) {
    if (!isTaken(`${code}${n}`)) return `${code}${n}`;
  }
}

/**
 * Makes codes and values of each context one to one, whatever order they come
 * in; sorted by context, then by code.
 *
 * Of two codes of a value one is kept: made by a user rather than automatic,
 * then the shorter one. Of two values of a code the first in order keeps it;
 * for the others an automatic code gets longer, a user's gets a number.
 */
export function settle(
  associations: readonly Association[],
  sumOf: SumOf,
): Association[] {
  const contexts = Map.groupBy(associations, ({ context }) => context);
  return [...contexts.keys()].sort(compare).flatMap((context) => {
    const values = oneCodeEach(contexts.get(context)!, sumOf);
    return [...oneValueEach(values, sumOf)]
      .map(([code, value]) => ({ context, code, value }))
      .sort((a, b) => compare(a.code, b.code));
  });
}

function oneCodeEach(
  associations: readonly Association[],
  sumOf: SumOf,
): Map<string, string> {
  const codes = new Map<string, string>();
  for (const { code, value } of associations) {
    const other = codes.get(value);
    if (other === undefined || isBetter(code, other, sumOf(value))) {
      codes.set(value, code);
    }
  }
  return codes;
}

function isBetter(code: string, other: string, sum: string): boolean {
  const isAutomatic = sum.startsWith(code);
  if (isAutomatic !== sum.startsWith(other)) return !isAutomatic;
  if (code.length !== other.length) return code.length < other.length;
  return code < other;
}

/** @param codes Code of each value. */
function oneValueEach(
  codes: ReadonlyMap<string, string>,
  sumOf: SumOf,
): Map<string, string> {
  const values = new Map<string, string>();
  const losers: [value: string, code: string][] = [];
  const loses = (value: string, code: string) => losers.push([value, code]);
  for (const [value, code] of codes) {
    const other = values.get(code);
    if (other === undefined) values.set(code, value);
    else if (value < other) {
      values.set(code, value);
      loses(other, code);
    } else loses(value, code);
  }
  losers.sort(([a], [b]) => compare(a, b));
  const isTaken = (code: string) => values.has(code);
  for (const [value, code] of losers) {
    const sum = sumOf(value);
    const next = sum.startsWith(code)
      ? automaticCode(sum, code.length + 1, isTaken)
      : numberedCode(code, isTaken);
    values.set(next, value);
  }
  return values;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
