/** How a built tree is found by compilers and build systems. */

import { join } from "node:path";
import { lstatIfExists } from "../host/files.ts";
import { equivalentNames } from "../toolchain/triple.ts";

/** The folders of a built tree that consumers need, absolute. */
export interface Consumable {
  /** Root of the tree. */
  dir: string;
  /** Folder with the libraries; `dir` itself if there is no usual one. */
  libDir: string;
  /** Folder with the headers; `dir` itself if there is none. */
  includeDir: string;
}

/** Finds the folders of a built tree. */
export function consumable(dir: string, target: string): Consumable {
  const include = join(dir, "include");
  return {
    dir,
    libDir: libDirs(dir, target)[0] ?? dir,
    includeDir: lstatIfExists(include) ? include : dir,
  };
}

function libDirs(dir: string, target: string): string[] {
  const names = ["lib", "lib64"];
  for (const name of [target, ...equivalentNames(target)]) {
    names.push(`lib/${name}`);
  }
  const found = names.map((name) => join(dir, name)).filter((path) =>
    lstatIfExists(path)
  );
  // Meson on Debian leaves `lib` with nothing but the multiarch folder.
  return found.sort((a, b) => Number(hasLibrary(b)) - Number(hasLibrary(a)));
}

function hasLibrary(dir: string): boolean {
  for (const entry of Deno.readDirSync(dir)) {
    if (/\.(a|so|dylib|dll|lib|la)(\.[0-9.]+)?$/.test(entry.name)) return true;
  }
  return false;
}

/** Search path variables, each a list of folders in order. */
export interface SearchPaths {
  PKG_CONFIG_PATH: string[];
  CMAKE_PREFIX_PATH: string[];
  CPATH: string[];
  LIBRARY_PATH: string[];
}

/** The folders by which `find_package`, pkg-config and compilers find trees. */
export function searchPaths(
  dirs: readonly string[],
  target: string,
): SearchPaths {
  const exist = (paths: string[]) =>
    paths.filter((path) => lstatIfExists(path));
  const libs = dirs.flatMap((dir) => libDirs(dir, target));
  return {
    PKG_CONFIG_PATH: exist([
      ...libs.map((lib) => join(lib, "pkgconfig")),
      ...dirs.map((dir) => join(dir, "share/pkgconfig")),
    ]),
    CMAKE_PREFIX_PATH: [...dirs],
    CPATH: exist(dirs.map((dir) => join(dir, "include"))),
    LIBRARY_PATH: libs,
  };
}

/** Separator of folder lists in environment variables. */
export const LIST_SEPARATOR: string = Deno.build.os === "windows" ? ";" : ":";

/** Puts folders before what a variable holds already. */
export function prepend(
  folders: readonly string[],
  existing: string | undefined,
): string {
  return [...folders, ...(existing ? [existing] : [])].join(LIST_SEPARATOR);
}

/** Part of a variable's name for a package: `libpng++` gives `LIBPNG__`. */
export function variablePart(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}
