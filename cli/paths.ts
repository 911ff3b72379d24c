/** Paths as people read them. */

import { relative } from "node:path";

/** The path relative to the current folder, if that is shorter to read. */
export function shortest(path: string): string {
  const below = relative(Deno.cwd(), path);
  return below.startsWith("..") ? path : below;
}
