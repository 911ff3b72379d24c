/**
 * Calls of the C library for what Deno does not tell: nanoseconds, and files
 * whose names are not UTF-8.
 *
 * Importing this module opens the library, which stays open as long as the
 * process: opened later it would count as a leak of the test that came first.
 * Without `--allow-ffi`, and elsewhere than on Linux, there is none, and nobody
 * is asked for the permission.
 */

import { hasRawBytes, pathToBytes } from "./bytes_path.ts";

const symbols = {
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  getdents64: {
    parameters: ["i32", "buffer", "usize"],
    result: "isize",
    optional: true,
  },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** Functions of the C library. */
export type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** The C library; undefined where it cannot be called. */
export const libc: Libc | undefined = openCLibrary(symbols);

/**
 * Functions of the C library; undefined where it has not all of them, or cannot
 * be called. It stays open, see above.
 */
export function openCLibrary<T extends Deno.ForeignLibraryInterface>(
  symbols: T,
): Deno.DynamicLibrary<T>["symbols"] | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return undefined;
  }
  for (const name of ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`]) {
    try {
      return Deno.dlopen(name, symbols).symbols;
    } catch {
      // Of the other kind, or too old for statx.
    }
  }
  return undefined;
}

/** Error number of the last call that failed. */
export function errno(functions: Libc): number {
  const place = functions.__errno_location();
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
}

/** Numbers of errors that callers look at. */
export const ENOENT = 2;
/** A part of the path is not a folder. */
export const ENOTDIR = 20;

/** PATH_MAX, with the closing zero. */
const shared = new Uint8Array(4096);

/**
 * A path as the C library wants it; good until the next call.
 *
 * @returns Undefined if it holds a zero byte: no file has such a name.
 */
export function cPath(path: string): Uint8Array<ArrayBuffer> | undefined {
  const length = path.length;
  if (length < shared.length) {
    let i = 0;
    for (; i < length; i++) {
      const code = path.charCodeAt(i);
      if (code === 0 || code >= 0x80) break;
      shared[i] = code;
    }
    if (i === length) {
      shared[i] = 0;
      return shared;
    }
  }
  const bytes = pathToBytes(path);
  if (bytes.includes(0)) return undefined;
  const closed = new Uint8Array(bytes.length + 1);
  closed.set(bytes);
  return closed;
}

/** What Deno would throw for a failed call; for names that it cannot be asked about. */
export function systemError(call: string, path: string, code: number): Error {
  const kinds: Record<number, [new (message: string) => Error, string]> = {
    1: [Deno.errors.PermissionDenied, "Operation not permitted"],
    2: [Deno.errors.NotFound, "No such file or directory"],
    13: [Deno.errors.PermissionDenied, "Permission denied"],
    20: [Deno.errors.NotADirectory, "Not a directory"],
    21: [Deno.errors.IsADirectory, "Is a directory"],
    40: [Deno.errors.FilesystemLoop, "Too many levels of symbolic links"],
  };
  const [Kind, text] = kinds[code] ?? [Error, "System call failed"];
  const name = hasRawBytes(path) ? JSON.stringify(path) : `'${path}'`;
  return new Kind(`${text} (os error ${code}): ${call} ${name}`);
}
