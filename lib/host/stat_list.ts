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

  /** Notes that a file has another stamp now. */
  set(index: number, stamp: string): void {
    this.#stamps[index] = stamp;
    this.#numbers?.set(parse([stamp]), index * WIDTH);
  }

  /**
   * Which of them are not as they were, by their places.
   *
   * @param most So many are enough to know.
   */
  changed(most = Infinity): number[] {
    this.#numbers ??= parse(this.#stamps);
    const found: number[] = [];
    for (let i = 0; i < this.#paths.length && found.length < most; i++) {
      if (!this.#isSame(i)) found.push(i);
    }
    return found;
  }

  #isSame(index: number): boolean {
    const stamp = this.#stamps[index]!;
    const path = this.#paths[index]!;
    const isFound = lstatTo(path, now);
    if (isFound === undefined) return isSlowlySame(path, stamp);
    const isThere = isFound && (now[1]! & 0o170000) !== 0o040000;
    if (stamp === "" || !isThere) return stamp === "" && !isThere;
    const at = index * WIDTH;
    for (let k = 0; k < WIDTH; k++) {
      // What is no number is equal to nothing.
      if (this.#numbers![at + k] !== now[k]) return false;
    }
    return true;
  }
}

const now = new Float64Array(WIDTH);

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
