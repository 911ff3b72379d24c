/** What a compile read, from the files that compilers and linkers write. */

import { dirname, isAbsolute, join, relative } from "node:path";
import { lstatIfExists } from "../host/files.ts";

/**
 * Paths that a rule in make's syntax names on its right side.
 *
 * @param text Content of the file that `-MD` or `--dependency-file` wrote.
 * @param cwd Folder that relative paths are relative to.
 */
export function readDepfile(text: string, cwd: string): string[] {
  const joined = text.replace(/\\\r?\n/g, " ");
  const rule = joined.split("\n").find((line) => /:(\s|$)/.test(line)) ?? "";
  const right = rule.slice(rule.search(/:(\s|$)/) + 1);
  const names = right.match(/(?:\\.|[^\s\\])+/g) ?? [];
  const paths = names.map((name) =>
    name.replace(/\\([\s#\\:])/g, "$1").replaceAll("$$", "$")
  );
  return [...new Set(paths)].map((path) =>
    isAbsolute(path) ? path : join(cwd, path)
  );
}

/**
 * Paths where a file, should one appear, would be read instead of one that was:
 * a compiler takes the first of that name along its search path.
 *
 * @param files What was read, absolute.
 * @param includeDirs Folders of `-I`, in order, absolute.
 * @param isOwn Whether a file is not the system's: only such are included with
 *   quotes, which look beside the including file first.
 */
export function shadowingPaths(
  files: readonly string[],
  includeDirs: readonly string[],
  isOwn: (path: string) => boolean,
): string[] {
  const beside = new Set(files.filter(isOwn).map((path) => dirname(path)));
  const paths = new Set<string>();
  for (const file of files) {
    for (const name of namesOf(file, includeDirs, isOwn(file))) {
      const found = includeDirs.findIndex((dir) => join(dir, name) === file);
      // The system's folders come last.
      const earlier = found < 0 ? includeDirs : includeDirs.slice(0, found);
      for (const dir of isOwn(file) ? [...beside, ...earlier] : earlier) {
        paths.add(firstAbsent(dir, name));
      }
    }
  }
  paths.delete("");
  return [...paths].sort();
}

/**
 * What a file may have been included as. One beside its includer has nothing
 * before it; one of the system is named by its last parts.
 */
function namesOf(
  file: string,
  includeDirs: readonly string[],
  isOwn: boolean,
): string[] {
  if (includeDirs.length === 0) return [];
  if (isOwn) {
    return includeDirs.map((dir) => relative(dir, file))
      .filter((name) => !name.startsWith(".."));
  }
  const parts = file.split("/").filter((part) => part !== "");
  return [1, 2, 3].filter((count) => count < parts.length)
    .map((count) => parts.slice(-count).join("/"));
}

/** The topmost part of `dir/name` that does not exist; empty if all of it does. */
function firstAbsent(dir: string, name: string): string {
  let path = dir;
  for (const part of name.split("/")) {
    path = join(path, part);
    if (!lstatIfExists(path)) return path;
  }
  return "";
}
