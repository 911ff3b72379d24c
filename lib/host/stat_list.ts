/** Whether many files still are what they were, as fast as they can be asked. */

import { lstatNs, lstatTo, stampText } from "./statx.ts";

/** Numbers of a status: see {@linkcode lstatTo}. */
const WIDTH = 7;

/** Files with the stamps that they had. */
export class StatList {
  readonly #paths: string[] = [];
  readonly #stamps: string[] = [];
  #numbers: Float64Array | undefined;

  /** How many there are. */
  get length(): number {
    return this.#paths.length;
  }

  /**
   * Adds a file.
   *
   * @param stamp From {@linkcode stampText}; empty: there is no file, though
   *   there may be a folder.
   */
  add(path: string, stamp: string): void {
    this.#paths.push(path);
    this.#stamps.push(stamp);
    this.#numbers = undefined;
  }

  /** Whether all of them are as they were. */
  isSame(): boolean {
    const numbers = this.#numbers ??= parse(this.#stamps);
    const now = new Float64Array(WIDTH);
    for (let i = 0; i < this.#paths.length; i++) {
      const stamp = this.#stamps[i]!;
      const path = this.#paths[i]!;
      const found = lstatTo(path, now);
      if (found === undefined) {
        if (!isSlowlySame(path, stamp)) return false;
        continue;
      }
      const isThere = found && (now[1]! & 0o170000) !== 0o040000;
      if (stamp === "") {
        if (isThere) return false;
        continue;
      }
      if (!isThere) return false;
      const at = i * WIDTH;
      for (let k = 0; k < WIDTH; k++) {
        // What is no number is equal to nothing.
        if (numbers[at + k] !== now[k]) return false;
      }
    }
    return true;
  }
}

/** Where the C library cannot be called, or has no answer. */
function isSlowlySame(path: string, stamp: string): boolean {
  const stat = lstatNs(path);
  const isThere = stat && (stat.mode & 0o170000) !== 0o040000;
  return stamp === (isThere ? stampText(stat) : "");
}

function parse(stamps: readonly string[]): Float64Array {
  const numbers = new Float64Array(stamps.length * WIDTH);
  stamps.forEach((stamp, i) => {
    if (stamp === "") return;
    const [size, mode, inode, mtime = "", ctime = ""] = stamp.split(" ");
    numbers.set([
      Number(size),
      Number(mode),
      Number(inode),
      ...secondsOf(mtime),
      ...secondsOf(ctime),
    ], i * WIDTH);
  });
  return numbers;
}

/** Seconds and nanoseconds; early dates, which are rare, are no number. */
function secondsOf(nanoseconds: string): [number, number] {
  if (nanoseconds.length < 10 || nanoseconds.startsWith("-")) return [NaN, NaN];
  return [Number(nanoseconds.slice(0, -9)), Number(nanoseconds.slice(-9))];
}
