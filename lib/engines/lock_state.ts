/** Whether somebody is building in a folder of the cache. */

import { join } from "node:path";
import { isAbsent, sortedEntries } from "../host/files.ts";

/**
 * Why a folder must stay: a lock in it, or below it, is held.
 *
 * @returns Undefined if none is.
 */
export function lockHolder(path: string): string | undefined {
  for (const { name, isDirectory } of sortedEntries(path)) {
    const inner = join(path, name);
    if (isDirectory) {
      const reason = lockHolder(inner);
      if (reason !== undefined) return reason;
    } else if (name.endsWith(".lock")) {
      const owner = heldBy(inner);
      if (owner !== undefined) return `in use: ${owner}`;
    }
  }
  return undefined;
}

function heldBy(lock: string): string | undefined {
  try {
    using file = Deno.openSync(lock, { read: true, write: true });
    if (file.tryLockSync(true)) return undefined;
    return Deno.readTextFileSync(lock).trim() || "another process";
  } catch (error) {
    if (isAbsent(error) || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}
