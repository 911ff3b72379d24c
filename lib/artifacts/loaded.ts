/**
 * Verified copies of loadable files, by digest.
 *
 * What is loaded is the copy whose bytes were digested, not the file that
 * anybody may replace between the check and the load. A new content has a new
 * path, since a loader gives out the old code for a path that it knows.
 */

import { join } from "node:path";
import { sha256Hex } from "../host/digest.ts";
import { isAbsent, writeFileAtomic } from "../host/files.ts";

/** Reads a file; undefined if it is absent. */
export function readBytes(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/**
 * Puts bytes where they can be loaded from.
 *
 * @param dir Folder of the copies; made with mode 0o700 if absent.
 * @param bytes The content.
 * @param sha256 Its digest.
 * @param extension With its dot.
 * @returns Path of the copy.
 */
export function loadableCopy(
  dir: string,
  bytes: Uint8Array,
  sha256: string,
  extension: string,
): string {
  const path = join(dir, `${sha256}${extension}`);
  const present = readBytes(path);
  if (present === undefined || sha256Hex(present) !== sha256) {
    Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileAtomic(path, bytes, { mode: 0o500 });
  }
  return path;
}
