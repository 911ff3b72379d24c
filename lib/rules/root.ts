/** Where a repo of rules is. */

import { dirname, join } from "node:path";
import { ClibsError } from "../errors.ts";

/** Name of the file with the rules. */
export const LMAKEFILE = "Lmakefile.ts";

/** Folder of everything that clibs keeps in a repo. */
export const PRIVATE = "LMAKE";

/**
 * The root of the repo that a folder is in.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_REPO` if it is in none.
 */
export function findRoot(from: string): string {
  const start = Deno.realPathSync(from);
  for (let dir = start;; dir = dirname(dir)) {
    try {
      if (Deno.statSync(join(dir, LMAKEFILE)).isFile) return dir;
    } catch {
      // Not here.
    }
    if (dirname(dir) === dir) break;
  }
  throw new ClibsError(
    "CLIBS_LMAKE_REPO",
    `Cannot find rules: there is no ${LMAKEFILE} here or above`,
    { facts: { from: start }, hint: "clibs make --init" },
  );
}
