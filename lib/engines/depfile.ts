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
    const order = isOwn(file)
      ? [...new Set([...beside, ...includeDirs])]
      : includeDirs;
    // The same file can be meant by several names: `a/b.h` below one folder,
    // `b.h` below another. Each is a name that could be hidden.
    for (const [index, dir] of order.entries()) {
      const name = relative(dir, file);
      if (name.startsWith("..")) continue;
      for (const earlier of order.slice(0, index)) {
        paths.add(firstAbsent(earlier, name));
      }
    }
    if (isOwn(file) || includeDirs.length === 0) continue;
    for (const name of systemNames(file)) {
      for (const dir of includeDirs) paths.add(firstAbsent(dir, name));
    }
  }
  paths.delete("");
  return [...paths].sort();
}

/** What a system header may have been included as: its last parts. */
function systemNames(file: string): string[] {
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
