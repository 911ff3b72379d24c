/** Where a repo of rules is. */

import { ClibsError } from "../errors.ts";

/** Name of the file with the rules. */
export const LMAKEFILE = "Lmakefile.ts";

/** Folder of everything that clibs keeps in a repo. */
export const PRIVATE = "LMAKE";

/** File in it that names the sub-repos of the repo. */
export const SUB_REPOS = "sub-repos.json";

/** The folder above; node:path would take longer to load than all else here. */
function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/**
 * The root of the repo that has a repo as a sub-repo, as far as its rules were
 * ever read; else the repo itself.
 */
function outermost(root: string): string {
  let found = root;
  for (let dir = dirname(root); dirname(dir) !== dir; dir = dirname(dir)) {
    try {
      const text = Deno.readTextFileSync(`${dir}/${PRIVATE}/${SUB_REPOS}`);
      const folders = JSON.parse(text) as string[];
      if (folders.some((name) => `${dir}/${name}` === root)) found = dir;
    } catch {
      // None here.
    }
  }
  return found;
}

/**
 * The root of the repo that a folder is in; the outermost one for a sub-repo.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_REPO` if it is in none.
 */
export function findRoot(from: string): string {
  const start = Deno.realPathSync(from);
  for (let dir = start;; dir = dirname(dir)) {
    try {
      if (Deno.statSync(`${dir}/${LMAKEFILE}`).isFile) return outermost(dir);
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
