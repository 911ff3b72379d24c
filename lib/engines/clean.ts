/** Removes what a build of engines makes again. */

import { basename, join, resolve } from "node:path";
import {
  clean,
  type CleanResult,
  foldersBelow,
  isWithin,
} from "../artifacts/clean.ts";
import { ClibsError } from "../errors.ts";
import { lstatIfExists, sortedEntries } from "../host/files.ts";
import { feedback as sharedBus } from "../feedback/hub.ts";
import type { Feedback } from "../feedback/bus.ts";
import { findEngines } from "./discover.ts";
import { extensionOf } from "./flags.ts";
import { lockHolder } from "./lock_state.ts";
import { sidecarName } from "./output.ts";
import { findProject, type Project } from "./project.ts";

/** What a cleaning is for. */
export type CleanProfile = "dev" | "ci" | "release";

/** How much goes. */
export type CleanMode = "light" | "standard" | "deep";

/** Options of {@linkcode cleanBinaries}. */
export interface CleanBinariesOptions {
  /** Folder with the `NAME.cpp` files. Default: `core/engines`. */
  sourceDir?: string;
  /** Folder of the loadable copies. Default: `sourceDir`. */
  outputDir?: string;
  /**
   * `dev`: light, keeps the cache; `ci`: standard, also cache, `__pycache__`
   * and build artifacts; `release`: deep, all of it. Other options override it.
   */
  profile?: CleanProfile;
  /**
   * `light`: loadable copies, orphans, leftovers; `standard`: the cache too;
   * `deep`: all of `.clibs`, and folders below too. Default: `standard`.
   */
  mode?: CleanMode;
  /** Whether the cache goes. Default: as the mode and the profile say. */
  cache?: boolean;
  /** Whether loadable copies go. Default: true. */
  localOutputs?: boolean;
  /** Whether modules go whose engine has no source any more. Default: true. */
  orphans?: boolean;
  /** Whether `__pycache__` folders go. Default: as the profile says. */
  pycache?: boolean;
  /** Whether build folders, object files and logs go. Default: as the profile says. */
  buildArtifacts?: boolean;
  /** Files and folders that stay, relative to the project or absolute. */
  exclude?: readonly string[];
  /** Only tell what would be removed. Default: false. */
  dryRun?: boolean;
  /** Where to report what happens. Default: the shared `feedback` bus. */
  feedback?: Feedback;
}

/** Result of {@linkcode cleanBinaries}; paths are relative to the project. */
export interface CleanBinariesReport extends CleanResult {
  /** Version of this form. */
  version: 1;
  /** How much went. */
  mode: CleanMode;
  /** What it was for; null if that was not said. */
  profile: CleanProfile | null;
  /** Whether nothing was really removed. */
  dryRun: boolean;
}

const PROFILES = {
  dev: { mode: "light", cache: false, extras: false },
  ci: { mode: "standard", cache: true, extras: true },
  release: { mode: "deep", cache: true, extras: true },
} as const;

/** Folders at the root that builds and checkers leave. */
const BUILD_FOLDERS =
  /^(build|dist|\.pytest_cache|\.mypy_cache|\.ruff_cache|.*\.egg-info)$/;
/** Files that builds leave beside the sources. */
const BUILD_FILES = /(\.(tmp|lock|o|obj|a|la|log)|^CMakeCache\.txt)$/;
/** Folders that are not the project's own. */
const FOREIGN = new Set([".git", "node_modules", ".venv", "venv", ".clibs"]);

/**
 * Removes what can be built again. Prebuilts, files that git tracks and
 * everything outside of the project always stay.
 *
 * @throws {ClibsError} `CLIBS_ENGINE_SOURCES` if there is no such project,
 *   `CLIBS_CLEAN_ROOT` if it is `/` or the home folder.
 * @throws {UsageError} `CLIBS_CLEAN_EXCLUDE` if an exclude is outside of it.
 */
export async function cleanBinaries(
  options: CleanBinariesOptions = {},
): Promise<CleanBinariesReport> {
  const project = findProject(options.sourceDir);
  if (!lstatIfExists(project.root)) {
    throw new ClibsError(
      "CLIBS_ENGINE_SOURCES",
      `Cannot clean engines: there is no folder ${project.sourceDir}`,
      { hint: "name the folder with --source-dir (sourceDir)" },
    );
  }
  const profile = options.profile ? PROFILES[options.profile] : undefined;
  const mode = options.mode ?? profile?.mode ?? "standard";
  const dryRun = options.dryRun ?? false;
  const finder = new Finder(project, {
    outputDir: resolve(options.outputDir ?? project.sourceDir),
    deep: mode === "deep",
    engines: await engineFiles(project),
  });
  const paths = [
    ...(options.localOutputs ?? true ? finder.outputs() : []),
    ...(options.orphans ?? true ? finder.orphans() : []),
    ...finder.leftovers(),
    ...(options.cache ?? profile?.cache ?? mode !== "light"
      ? finder.caches()
      : []),
    ...(options.pycache ?? profile?.extras ?? false ? finder.pycache() : []),
    ...(options.buildArtifacts ?? profile?.extras ?? false
      ? finder.artifacts()
      : []),
  ];
  const result = await clean({
    root: project.root,
    paths,
    exclude: options.exclude,
    dryRun,
    inUse: (path) => prebuiltsIn(project, path) ?? lockHolder(path),
  });
  const verb = dryRun ? "would be removed" : "removed";
  (options.feedback ?? sharedBus).emit(
    "info",
    "note",
    `${result.removed.length} paths ${verb}, ${result.skipped.length} kept`,
    { about: "engine.clean", ...result },
  );
  return {
    version: 1,
    ...result,
    mode,
    profile: options.profile ?? null,
    dryRun,
  };
}

/** Prebuilts stay, also if they are in, or are, what is to be cleaned. */
function prebuiltsIn(
  { binaries }: Project,
  path: string,
): string | undefined {
  if (isWithin(binaries, path)) return "a prebuilt";
  return isWithin(path, binaries) ? "prebuilts are in it" : undefined;
}

/** Engines with their modules' names; a broken engines.json must not keep from cleaning. */
async function engineFiles(project: Project): Promise<Map<string, string>> {
  try {
    const engines = await findEngines(project);
    return new Map(
      engines.filter(({ sources }) => sources.length > 0)
        .map((engine) => [engine.name, engine.name + extensionOf(engine)]),
    );
  } catch {
    const names = sortedEntries(project.sourceDir).map(({ name }) => name)
      .filter((name) => name.endsWith(".cpp"))
      .map((name) => name.slice(0, -".cpp".length));
    return new Map(names.map((name) => [name, `${name}.so`]));
  }
}

class Finder {
  readonly #project: Project;
  readonly #outputDir: string;
  readonly #folders: string[];
  readonly #deep: boolean;
  readonly #engines: ReadonlyMap<string, string>;

  constructor(
    project: Project,
    { outputDir, deep, engines }: {
      outputDir: string;
      deep: boolean;
      engines: ReadonlyMap<string, string>;
    },
  ) {
    this.#project = project;
    this.#outputDir = outputDir;
    this.#deep = deep;
    this.#engines = engines;
    const tops = [...new Set([outputDir, project.sourceDir])];
    this.#folders = deep
      ? [...new Set(tops.flatMap((top) => [...foldersBelow(top, FOREIGN)]))]
      : tops;
  }

  /** Loadable copies of engines, those too that are not there. */
  *outputs(): Generator<string> {
    const [output = ""] = this.#folders;
    for (const [name, file] of this.#engines) {
      const found = this.#modules((engine) => engine === name);
      if (found.length > 0) yield* found;
      else yield join(output, file);
    }
  }

  /** Modules without an engine, if something shows that they were built here. */
  *orphans(): Generator<string> {
    yield* this.#modules((engine) => !this.#engines.has(engine));
  }

  /** Copies and their notes, by the engine that they are named after. */
  #modules(isWanted: (engine: string) => boolean): string[] {
    return this.#folders.flatMap((folder) => {
      const names = sortedEntries(folder).filter((entry) => !entry.isDirectory)
        .map(({ name }) => name);
      return names.filter((name) => {
        const engine = moduleOwner(name, names);
        return engine !== undefined && isWanted(engine);
      }).map((name) => join(folder, name));
    });
  }

  /** What a killed run left. */
  *leftovers(): Generator<string> {
    for (const folder of [...this.#folders, ...this.#keyFolders()]) {
      for (const { name } of sortedEntries(folder)) {
        if (/^\..*\.tmp$/.test(name)) yield join(folder, name);
      }
    }
  }

  /** This cache and that of the tool whose projects clibs takes over. */
  *caches(): Generator<string> {
    const { root, cache } = this.#project;
    yield this.#deep ? join(root, ".clibs") : cache;
    const other = join(root, ".binman", "cache");
    if (sortedEntries(join(root, ".binman")).length > 0) yield other;
  }

  *pycache(): Generator<string> {
    const folders = this.#deep
      ? foldersBelow(this.#project.root, FOREIGN)
      : this.#folders;
    for (const folder of folders) {
      for (const { name } of sortedEntries(folder)) {
        if (name === "__pycache__") yield join(folder, name);
      }
    }
  }

  *artifacts(): Generator<string> {
    const { root } = this.#project;
    for (const { name, isDirectory } of sortedEntries(root)) {
      if (isDirectory && BUILD_FOLDERS.test(name)) yield join(root, name);
    }
    // A project that is its own output folder has files of its own: deno.lock.
    const folders = this.#folders.filter((folder) =>
      this.#outputDir !== root || isWithin(this.#project.sourceDir, folder)
    );
    for (const folder of folders) {
      for (const { name, isDirectory } of sortedEntries(folder)) {
        if (!isDirectory && BUILD_FILES.test(name)) yield join(folder, name);
      }
    }
  }

  #keyFolders(): string[] {
    const { cache } = this.#project;
    return sortedEntries(cache).filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => join(cache, name));
  }
}

/**
 * The engine that a file is a module, or a note, of. Any other library may be
 * one that somebody put there.
 */
function moduleOwner(
  file: string,
  siblings: readonly string[],
): string | undefined {
  const [, noted] = /^\.(\w+)\.clibs\.json$/.exec(file) ?? [];
  if (noted !== undefined) return noted;
  const [, python] = /^(\w+)\.cpython-[\w-]+\.so$/.exec(file) ?? [];
  if (python !== undefined) return python;
  const [, other] = /^(\w+)\.(?:so|node)$/.exec(basename(file)) ?? [];
  const isOurs = other !== undefined && siblings.includes(sidecarName(other));
  return isOurs ? other : undefined;
}
