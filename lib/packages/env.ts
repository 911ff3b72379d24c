/** The environment by which consumers find built packages. */

import { ClibsError } from "../errors.ts";
import { prepend, searchPaths, variablePart } from "./consume.ts";
import { fetchContext } from "./options.ts";
import {
  type PackageStatus,
  packageStatus,
  type StatusOptions,
} from "./status.ts";

/** Options of {@linkcode packageEnv} and {@linkcode packageExports}. */
export interface EnvOptions extends Omit<StatusOptions, "targets"> {
  /** Target triple. Default: `CLIBS_BUILD_TARGET`, else the host's. */
  target?: string;
  /** Interrupts the work. */
  signal?: AbortSignal;
}

/**
 * Variables by which compilers and build systems find built packages:
 * `PKG_CONFIG_PATH`, `CMAKE_PREFIX_PATH`, `CPATH`, `LIBRARY_PATH`,
 * `LD_LIBRARY_PATH` (in front of what the environment has already) and, for
 * each package, `CLIBS_<NAME>_LIB_DIR` and `CLIBS_<NAME>_INCLUDE_DIR`. If one
 * package was asked for, `CLIBS_LIB_DIR` is the root of its built tree and
 * `CLIBS_INCLUDE_DIR` the folder with its headers.
 *
 * @param paths Folders, or paths of pkg.yaml files; their deps come with them.
 * @returns Variables, by name.
 * @throws {ClibsError} `CLIBS_NOT_BUILT` if a package is not up to date.
 */
export async function packageEnv(
  paths: readonly string[],
  options: EnvOptions = {},
): Promise<Record<string, string>> {
  const { env } = fetchContext(options);
  const packages = await upToDatePackages(paths, options);
  // The nearest first: what was asked for hides what it depends on.
  const dirs = packages.map((status) => status.dir).reverse();
  const target = packages[0]?.target ?? "";
  const found = searchPaths(dirs, target);
  const variables: Record<string, string> = {};
  const asked = packages.filter((status) =>
    !packages.some((other) => other.deps.includes(status.name))
  );
  if (asked.length === 1 && asked[0]) {
    variables.CLIBS_LIB_DIR = asked[0].dir;
    variables.CLIBS_INCLUDE_DIR = asked[0].includeDir;
  }
  for (const status of packages) {
    const name = variablePart(status.name);
    variables[`CLIBS_${name}_LIB_DIR`] = status.dir;
    variables[`CLIBS_${name}_INCLUDE_DIR`] = status.includeDir;
  }
  const lists = { ...found, [libraryVariable()]: found.LIBRARY_PATH };
  for (const [name, folders] of Object.entries(lists)) {
    if (folders.length > 0) variables[name] = prepend(folders, env(name));
  }
  return variables;
}

function libraryVariable(): string {
  if (Deno.build.os === "windows") return "PATH";
  return Deno.build.os === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
}

async function upToDatePackages(
  paths: readonly string[],
  options: EnvOptions,
): Promise<PackageStatus[]> {
  const { packages } = await packageStatus(paths, {
    env: options.env,
    targets: options.target === undefined ? undefined : [options.target],
  });
  const missing = packages.filter((status) => !status.upToDate);
  if (missing.length === 0) return packages;
  throw new ClibsError(
    "CLIBS_NOT_BUILT",
    `Cannot use ${
      missing.map((status) => status.name).join(", ")
    }: not up to date`,
    {
      facts: Object.fromEntries(
        missing.map((status) => [status.name, status.reason ?? ""]),
      ),
      hint: `run \`clibs build ${paths.join(" ")}\``,
    },
  );
}

/**
 * Runs the `export` script of each package that has one, and returns the
 * variables that it printed as KEY=VALUE lines.
 *
 * The script runs in the package's folder with `CLIBS_LIB_DIR` and
 * `CLIBS_INCLUDE_DIR` set, besides what a build command sees.
 *
 * @param paths Folders, or paths of pkg.yaml files; their deps come with them.
 * @returns Variables, by name; a later package replaces those of an earlier.
 * @throws {ClibsError} `CLIBS_EXPORT` if a script fails or prints something else.
 */
export async function packageExports(
  paths: readonly string[],
  options: EnvOptions = {},
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  const packages = await upToDatePackages(paths, options);
  // Lazy: `clibs env` needs no toolchain, and start-up time counts.
  const { exportsOf } = await import("./run_export.ts");
  for (const status of packages) {
    Object.assign(variables, await exportsOf(status, packages, options));
  }
  return variables;
}
