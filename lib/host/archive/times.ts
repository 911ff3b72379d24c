/** Modification times, to the nanosecond where the system allows. */

import { lutimesSync } from "node:fs";

/** A point in time, split as the kernel does. */
export interface Mtime {
  /** Whole seconds since the epoch; may be negative. */
  seconds: number;
  /** 0 to 999,999,999. */
  nanos: number;
}

/** Value of AT_FDCWD and AT_SYMLINK_NOFOLLOW. */
const [HERE, NO_FOLLOW] = Deno.build.os === "darwin"
  ? [-2, 0x20]
  : [-100, 0x100];

const utimensat = {
  parameters: ["i32", "buffer", "buffer", "i32"],
  result: "i32",
} as const;

type Library = Deno.DynamicLibrary<{ utimensat: typeof utimensat }>;

/**
 * Sets times of files, folders and symlinks themselves.
 *
 * Deno's own calls take a double, which near now holds about 240 ns; the C
 * library is asked only for times that a double would change.
 */
export class TimeSetter implements Disposable {
  /** Undefined: not needed yet; null: not to be had. */
  #library: Library | null | undefined;

  /** Sets access and modification time; links are not followed. */
  set(path: string, time: Mtime): void {
    if (time.nanos !== 0 && this.#setExactly(path, time)) return;
    const seconds = time.seconds + time.nanos / 1e9;
    lutimesSync(path, seconds, seconds);
  }

  /** Unloads the C library. */
  [Symbol.dispose](): void {
    this.#library?.close();
    this.#library = undefined;
  }

  #setExactly(path: string, time: Mtime): boolean {
    if (this.#library === undefined) this.#library = loadLibrary();
    if (this.#library === null) return false;
    const seconds = BigInt(time.seconds);
    const nanos = BigInt(time.nanos);
    const times = new BigInt64Array([seconds, nanos, seconds, nanos]);
    const cPath = new TextEncoder().encode(`${path}\0`);
    const call = this.#library.symbols.utimensat;
    return call(HERE, cPath, times, NO_FOLLOW) === 0;
  }
}

function loadLibrary(): Library | null {
  const names: Partial<Record<string, string>> = {
    linux: "libc.so.6",
    darwin: "libSystem.B.dylib",
  };
  const name = names[Deno.build.os];
  if (name === undefined) return null;
  try {
    return Deno.dlopen(name, { utimensat });
  } catch {
    // No --allow-ffi, or another C library: 240 ns is what there is.
    return null;
  }
}
