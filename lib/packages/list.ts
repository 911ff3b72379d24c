/** Lists packages without asking whether they are up to date. */

import { discoverPackages } from "./discover.ts";
import { Package } from "./package.ts";
import type { PackageSpec } from "./spec.ts";

/** One package, as its pkg.yaml describes it. */
export interface ListedPackage {
  /** Name of the package. */
  name: string;
  /** Version, as written. */
  version: string;
  /** Absolute path of its folder. */
  dir: string;
  /** Where its sources come from. */
  source: "git" | "files" | "none";
  /** Its deps, as written. */
  deps: string[];
}

/** Result of {@linkcode listPackages}. */
export interface ListReport {
  /** Version of this form. */
  version: 1;
  /** Sorted by folder. */
  packages: ListedPackage[];
}

/**
 * Lists every package at and below some folders.
 *
 * @param paths Folders, or paths of pkg.yaml files.
 * @throws {ClibsError} If one cannot be read.
 */
export async function listPackages(
  paths: readonly string[],
): Promise<ListReport> {
  const packages = await Promise.all(
    discoverPackages(paths).map(async (dir) => {
      const spec = await loadPackage(dir);
      return {
        name: spec.name,
        version: spec.version,
        dir,
        source: sourceOf(spec),
        deps: spec.deps,
      };
    }),
  );
  return { version: 1, packages };
}

function sourceOf(spec: PackageSpec): ListedPackage["source"] {
  if (spec.git) return "git";
  return spec.files.length > 0 ? "files" : "none";
}

/**
 * Reads and checks a pkg.yaml.
 *
 * @param path Folder of the package, or its pkg.yaml.
 * @throws {ClibsError} `CLIBS_PKG_MISSING`, `CLIBS_PKG_YAML` or
 *   `CLIBS_PKG_SCHEMA`, with the place in the file.
 */
export async function loadPackage(path: string): Promise<PackageSpec> {
  return await new Package(path).spec();
}
