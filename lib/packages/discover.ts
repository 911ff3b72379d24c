/** Finds the packages below a folder. */

import { basename, join, resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { isAbsent, lstatIfExists } from "../host/files.ts";
import { PACKAGE_FILE } from "./layout.ts";

/**
 * Folders of all packages at and below some paths, sorted, each once.
 *
 * Folders whose name starts with `_` or `.`, `node_modules` and links are not
 * entered. A path that names a pkg.yaml stands for that package alone.
 *
 * @throws {ClibsError} `CLIBS_PKG_MISSING` for a path with no package.
 */
export function discoverPackages(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const absolute = resolve(path);
    const before = found.size;
    if (basename(absolute) === PACKAGE_FILE && lstatIfExists(absolute)) {
      found.add(resolve(absolute, ".."));
      continue;
    }
    let any = false;
    for (const dir of packagesBelow(absolute)) {
      any = true;
      found.add(dir);
    }
    if (!any && found.size === before) {
      throw new ClibsError(
        "CLIBS_PKG_MISSING",
        `Cannot find a package: no ${PACKAGE_FILE} at or below ${path}`,
        { hint: "run `clibs init URL` to write one, or name another folder" },
      );
    }
  }
  return [...found].sort();
}

function* packagesBelow(dir: string): Generator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(dir)];
  } catch (error) {
    if (isAbsent(error) || error instanceof Deno.errors.PermissionDenied) {
      return;
    }
    throw error;
  }
  if (entries.some((e) => e.name === PACKAGE_FILE && !e.isDirectory)) yield dir;
  for (const entry of entries) {
    if (entry.isDirectory && !isSkipped(entry.name)) {
      yield* packagesBelow(join(dir, entry.name));
    }
  }
}

function isSkipped(name: string): boolean {
  return name.startsWith("_") || name.startsWith(".") ||
    name === "node_modules";
}
