/**
 * The calls for engines. Each loads the code behind it when it is made, so that
 * a program which uses only packages does not wait for that of engines.
 */

import type {
  EnginesReport,
  FastBootOptions,
  FastBootReport,
} from "./build.ts";
import type { CleanBinariesOptions, CleanBinariesReport } from "./clean.ts";
import type { DiscoveredEngine } from "./discover.ts";
import type { DutyOptions, DutyReport } from "./duties.ts";
import type { Engines, LoadedEngine } from "./errors.ts";
import type { HealthReport } from "./healthcheck.ts";
import type { EngineList } from "./list.ts";
import type { BuildEngineOptions, EngineOptions } from "./options.ts";
import type { PruneOptions, PruneReport } from "./prune.ts";
import type {
  RunScriptOptions,
  ScriptOptions,
  ScriptReport,
  ScriptResult,
} from "./scripts.ts";
import type { ToolchainReport } from "./snapshot.ts";
import type { TypesOptions, TypesReport } from "./types.ts";

/**
 * Obtains all engines of a folder by their policies, and loads them.
 *
 * @returns The engines by name. Functions of `ffi` and `napi` engines are called
 *   directly; those of `pybind11` engines return promises.
 * @throws {EnginesError} `CLIBS_ENGINES_FAILED` if some failed, when all were
 *   tried; the others are in its `engines`.
 *
 * @example Usage
 * ```ts ignore
 * import { buildAll } from "@clibs/cli";
 * import type { Engines } from "./core/engines/engines.d.ts";
 *
 * const engines = await buildAll<Engines>({ sourceDir: "core/engines" });
 * console.log(await engines.cpu.get_usage());
 * ```
 */
export async function buildAll<T extends object = Engines>(
  options: BuildEngineOptions = {},
): Promise<T> {
  return await (await import("./build.ts")).buildAll<T>(options);
}

/**
 * Obtains some engines of a folder by their policies, and loads them.
 *
 * @param names Names of engines; all if there are none.
 * @throws {EnginesError} `CLIBS_ENGINES_FAILED` if some failed, when all were
 *   tried; the others are in its `engines`.
 */
export async function loadMany<T extends object = Engines>(
  names: readonly string[],
  options: BuildEngineOptions = {},
): Promise<T> {
  return await (await import("./build.ts")).loadMany<T>(names, options);
}

/**
 * Obtains one engine by its policy, and loads it.
 *
 * @param name Its name.
 * @throws {ClibsError} If it cannot be obtained or loaded.
 */
export async function buildEngine<T extends object = LoadedEngine>(
  name: string,
  options: BuildEngineOptions = {},
): Promise<T> {
  return await (await import("./build.ts")).buildEngine<T>(name, options);
}

/**
 * Obtains engines by their policies and tells how each went. What was just built
 * is loaded once, in a process of its own.
 *
 * @param names Names of engines; all if there are none.
 */
export async function buildEngines(
  names: readonly string[] = [],
  options: BuildEngineOptions = {},
): Promise<EnginesReport> {
  return await (await import("./build.ts")).buildEngines(names, options);
}

/**
 * Makes all engines of a folder ready without loading them: for the start of a
 * program, or before it. The cache comes first, unless engines.json has another
 * policy; prebuilts are saved.
 */
export async function fastBootBuildAll(
  options: FastBootOptions = {},
): Promise<FastBootReport> {
  return await (await import("./build.ts")).fastBootBuildAll(options);
}

/**
 * Ends the Python processes in which pybind11 engines were loaded. They also end
 * with the program; a later call of an engine starts a new one.
 */
export async function closePythonHosts(): Promise<void> {
  await (await import("./load.ts")).closePythonHosts();
}

/**
 * Lists the engines of a folder: each `NAME.cpp`, and what engines.json names.
 *
 * @param sourceDir Default: `core/engines`.
 * @throws {ClibsError} `CLIBS_ENGINE_KIND` if a source does not tell its kind.
 */
export async function discoverEngines(
  sourceDir?: string,
): Promise<DiscoveredEngine[]> {
  return await (await import("./discover.ts")).discoverEngines(sourceDir);
}

/** Lists the engines of a folder with their state; builds and loads nothing. */
export async function listEngines(
  options: EngineOptions = {},
): Promise<EngineList> {
  return await (await import("./list.ts")).listEngines(options);
}

/**
 * Writes `NAME.d.ts` for engines, and `engines.d.ts` with all of them, so that
 * `buildAll<Engines>()` is typed. Engines are obtained by their policies;
 * Node-API and Python modules are loaded to see what they have.
 *
 * @param names Names of engines; all if there are none.
 */
export async function writeTypes(
  names: readonly string[] = [],
  options: TypesOptions = {},
): Promise<TypesReport> {
  return await (await import("./types.ts")).writeTypes(names, options);
}

/** Checks sources, tools, prebuilts and cache; builds and loads nothing. */
export async function healthcheck(
  options: EngineOptions = {},
): Promise<HealthReport> {
  return await (await import("./healthcheck.ts")).healthcheck(options);
}

/** Takes down the toolchain, and compares it with the last time. */
export async function snapshotToolchain(
  options: EngineOptions = {},
): Promise<ToolchainReport> {
  return await (await import("./snapshot.ts")).snapshotToolchain(options);
}

/** Keeps the newest ABI keys in the cache of engines and removes the others. */
export async function pruneCache(
  options: PruneOptions = {},
): Promise<PruneReport> {
  return (await import("./prune.ts")).pruneCache(options);
}

/**
 * Removes what can be built again. Prebuilts, files that git tracks and
 * everything outside of the project always stay.
 *
 * @throws {UsageError} `CLIBS_CLEAN_EXCLUDE` if an exclude is outside the project.
 */
export async function cleanBinaries(
  options: CleanBinariesOptions = {},
): Promise<CleanBinariesReport> {
  return await (await import("./clean.ts")).cleanBinaries(options);
}

/**
 * Runs a script to its end. `.py` runs in Python; `.js`, `.mjs` and `.ts` run in
 * Deno, without permissions unless some are given.
 *
 * @throws {UsageError} `CLIBS_SCRIPT_PATH` if the script is not in the folder,
 *   `CLIBS_SCRIPT_KIND` if it is none of those, `CLIBS_SCRIPT_PERMISSION` if a
 *   permission is not one of Deno's.
 * @throws {ClibsError} `CLIBS_SCRIPT_MISSING` if there is no such script.
 */
export async function runScript(
  options: RunScriptOptions,
): Promise<ScriptResult> {
  return await (await import("./scripts.ts")).runScript(options);
}

/**
 * Runs all scripts of a folder, one after the other, in the order of their names.
 *
 * @throws {ClibsError} `CLIBS_SCRIPT_MISSING` if there is no such folder.
 */
export async function runScriptAll(
  options: ScriptOptions = {},
): Promise<ScriptReport> {
  return await (await import("./scripts.ts")).runScriptAll(options);
}

/** Obtains all engines, then runs all scripts, which may use them. */
export async function runDuties(
  options: DutyOptions = {},
): Promise<DutyReport> {
  return await (await import("./duties.ts")).runDuties(options);
}

/** First word of the command line by which a compiled clibs tries a module. */
export const PROBE_WORD = "engines-probe";

/**
 * Loads one module in this process, which may crash: what clibs runs in a child
 * process before it uses a prebuilt.
 *
 * @param text What to load, as JSON.
 * @returns Undefined if all went well, else why not, in a line.
 */
export async function runProbe(text: string): Promise<string | undefined> {
  return await (await import("./probe_child.ts")).runProbe(text);
}

/** The type of {@linkcode builder}. */
export interface Builder {
  /** {@linkcode buildAll} */
  buildAll: typeof buildAll;
  /** {@linkcode buildEngine} */
  buildEngine: typeof buildEngine;
  /** {@linkcode loadMany} */
  loadMany: typeof loadMany;
  /** {@linkcode fastBootBuildAll} */
  fastBootBuildAll: typeof fastBootBuildAll;
  /** {@linkcode discoverEngines} */
  discoverEngines: typeof discoverEngines;
  /** {@linkcode healthcheck} */
  healthcheck: typeof healthcheck;
  /** {@linkcode snapshotToolchain} */
  snapshotToolchain: typeof snapshotToolchain;
  /** {@linkcode pruneCache} */
  pruneCache: typeof pruneCache;
  /** {@linkcode cleanBinaries} */
  cleanBinaries: typeof cleanBinaries;
  /** {@linkcode runScript} */
  runScript: typeof runScript;
  /** {@linkcode runScriptAll} */
  runScriptAll: typeof runScriptAll;
  /** {@linkcode runDuties} */
  runDuties: typeof runDuties;
}

/** The calls for engines under one name. */
export const builder: Builder = {
  buildAll,
  buildEngine,
  loadMany,
  fastBootBuildAll,
  discoverEngines,
  healthcheck,
  snapshotToolchain,
  pruneCache,
  cleanBinaries,
  runScript,
  runScriptAll,
  runDuties,
};
