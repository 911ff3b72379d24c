/**
 * Removes files of a project, and nothing else: never outside of its root,
 * never through a link, never what git tracks.
 */

import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { ClibsError, UsageError } from "../errors.ts";
import {
  lstatIfExists,
  removeTree,
  sortedEntries,
  treeSize,
} from "../host/files.ts";
import { runProcess } from "../host/process.ts";

/** A path that stays, and why. */
export interface SkippedPath {
  /** The path, relative to the root. */
  path: string;
  /** Why it stays. */
  reason: string;
}

/** What was, or would be, removed. */
export interface CleanResult {
  /** Removed paths, relative to the root, sorted. */
  removed: string[];
  /** Paths that were expected and are not there. */
  missing: string[];
  /** Paths that stay, and why. */
  skipped: SkippedPath[];
  /** Sum of the sizes of the removed files. */
  bytesFreed: number;
}

/** What to remove. */
export interface CleanPlan {
  /** Root of the project; absolute. */
  root: string;
  /** Paths to remove, absolute. */
  paths: Iterable<string>;
  /** Files and folders that stay, relative to the root or absolute. */
  exclude?: readonly string[];
  /** Only tell. */
  dryRun: boolean;
  /** Tells why a path must stay for now, such as a lock that is held. */
  inUse?: (path: string) => string | undefined;
}

/**
 * Removes the paths of a plan. A dry run goes the same way and names the same
 * paths.
 *
 * @throws {ClibsError} `CLIBS_CLEAN_ROOT` if the root is `/` or the home folder.
 * @throws {UsageError} `CLIBS_CLEAN_EXCLUDE` if an exclude is outside the root.
 */
export async function clean(plan: CleanPlan): Promise<CleanResult> {
  const root = checkedRoot(plan.root);
  const kept = (plan.exclude ?? []).map((path) => checkedExclude(root, path));
  const tracked = await trackedFiles(root);
  const result: CleanResult = {
    removed: [],
    missing: [],
    skipped: [],
    bytesFreed: 0,
  };
  const paths = withoutInner([...new Set(plan.paths)].sort());
  for (const path of paths) {
    const shown = relative(root, path);
    const info = lstatIfExists(path);
    if (!info) {
      result.missing.push(shown);
      continue;
    }
    const reason = outside(root, path) ?? excluded(kept, path) ??
      holdsTracked(tracked, shown) ?? plan.inUse?.(path);
    if (reason !== undefined) {
      result.skipped.push({ path: shown, reason });
      continue;
    }
    const bytes = treeSize(path);
    try {
      if (!plan.dryRun) removeTree(path);
    } catch (error) {
      result.skipped.push({ path: shown, reason: (error as Error).message });
      continue;
    }
    result.removed.push(shown);
    result.bytesFreed += bytes;
  }
  return result;
}

function checkedRoot(path: string): string {
  const root = Deno.realPathSync(path);
  const home = Deno.env.get("HOME");
  const isHome = home !== undefined && lstatIfExists(home) !== undefined &&
    Deno.realPathSync(home) === root;
  if (root !== dirname(root) && !isHome) return root;
  throw new ClibsError(
    "CLIBS_CLEAN_ROOT",
    `Cannot clean ${root}: it is ${isHome ? "the home folder" : "the root"}`,
    {
      hint: "mark the root of the project with a deno.json, or name a source " +
        "folder inside of it",
    },
  );
}

function checkedExclude(root: string, path: string): string {
  const absolute = isAbsolute(path) ? resolve(path) : resolve(root, path);
  if (absolute === root || absolute.startsWith(root + sep)) return absolute;
  throw new UsageError(
    "CLIBS_CLEAN_EXCLUDE",
    `Cannot exclude ${path}: it is outside of the project`,
    { facts: { project: root }, hint: "name a path below the project" },
  );
}

/** Paths of which no one is inside of another; the input is sorted. */
function withoutInner(paths: readonly string[]): string[] {
  const outer = new Set(paths);
  return paths.filter((path) => {
    for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
      if (outer.has(dir)) return false;
    }
    return true;
  });
}

/** Why a path is not the project's: its folder must lie where it seems to. */
function outside(root: string, path: string): string | undefined {
  const folder = dirname(path);
  if (path === root) return "it is the project itself";
  if (folder !== root && !folder.startsWith(root + sep)) {
    return "it is outside of the project";
  }
  return Deno.realPathSync(folder) === folder
    ? undefined
    : "a link leads to its folder";
}

function excluded(
  kept: readonly string[],
  path: string,
): string | undefined {
  const isKept = kept.some((other) =>
    path === other || path.startsWith(other + sep) ||
    other.startsWith(path + sep)
  );
  return isKept ? "excluded" : undefined;
}

function holdsTracked(
  tracked: readonly string[],
  path: string,
): string | undefined {
  const isTracked = tracked.some((file) =>
    file === path || file.startsWith(`${path}/`)
  );
  return isTracked ? "tracked by git" : undefined;
}

/** Files that git would miss; none if the root is not in a work tree. */
async function trackedFiles(root: string): Promise<string[]> {
  try {
    const { ok, stdout } = await runProcess({
      command: "git",
      args: ["-C", root, "ls-files", "-z"],
    });
    return ok ? stdout.split("\0").filter((path) => path !== "") : [];
  } catch (error) {
    if (error instanceof ClibsError) return [];
    throw error;
  }
}

/** Folders at and below one; links and some names are not entered. */
export function* foldersBelow(
  dir: string,
  skip: ReadonlySet<string>,
): Generator<string> {
  yield dir;
  for (const entry of sortedEntries(dir)) {
    if (!entry.isDirectory || skip.has(entry.name)) continue;
    yield* foldersBelow(join(dir, entry.name), skip);
  }
}
