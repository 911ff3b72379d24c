/** Modification times, to the nanosecond where the system allows. */

import { lutimesSync } from "node:fs";

/** A point in time, split as the kernel does. */
export interface Mtime {
  /** Whole seconds since the epoch; may be negative. */
  seconds: number;
  /** 0 to 999,999,999. */
  nanos: number;
}

type UtimensAt = (
  folder: number,
  path: Uint8Array<ArrayBuffer>,
  times: BigInt64Array<ArrayBuffer>,
  flags: number,
) => number;

/** Value of AT_FDCWD and AT_SYMLINK_NOFOLLOW. */
const constants = Deno.build.os === "darwin" ? [-2, 0x20] : [-100, 0x100];

/**
 * Sets access and modification time of a file, folder or symlink itself.
 *
 * Deno's own calls take a double, which near now holds about 240 ns; the C
 * library is asked only for times that a double would change.
 */
export function setMtime(path: string, time: Mtime): void {
  if (time.nanos === 0 || !setExactly(path, time)) {
    const seconds = time.seconds + time.nanos / 1e9;
    lutimesSync(path, seconds, seconds);
  }
}

function setExactly(path: string, time: Mtime): boolean {
  utimensat ??= loadUtimensat();
  if (!utimensat) return false;
  const seconds = BigInt(time.seconds);
  const nanos = BigInt(time.nanos);
  const times = new BigInt64Array([seconds, nanos, seconds, nanos]);
  const cPath = new TextEncoder().encode(`${path}\0`);
  return utimensat(constants[0]!, cPath, times, constants[1]!) === 0;
}

let utimensat: UtimensAt | false | undefined;

function loadUtimensat(): UtimensAt | false {
  const library = { linux: "libc.so.6", darwin: "libSystem.B.dylib" }[
    Deno.build.os as string
  ];
  if (library === undefined) return false;
  try {
    return Deno.dlopen(library, {
      utimensat: {
        parameters: ["i32", "buffer", "buffer", "i32"],
        result: "i32",
      },
    }).symbols.utimensat;
  } catch {
    // No --allow-ffi, or another C library: 240 ns is what there is.
    return false;
  }
}
