/**
 * Removes files of a project, and nothing else: never outside of its root,
 * never through a link, never what git tracks.
 */

import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ClibsError, UsageError } from "../errors.ts";
import {
  lstatIfExists,
  removeTree,
  sortedEntries,
  treeSize,
} from "../host/files.ts";
import { TrackedFiles } from "./tracked.ts";

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
  const kept = (plan.exclude ?? [])
    .flatMap((path) => checkedExclude(root, path));
  const tracked = new TrackedFiles(root);
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
    try {
      const reason = outside(root, path) ?? excluded(kept, path) ??
        await tracked.reason(path) ?? plan.inUse?.(path);
      if (reason !== undefined) {
        result.skipped.push({ path: shown, reason });
        continue;
      }
      const bytes = treeSize(path);
      if (!plan.dryRun) removeTree(path);
      result.removed.push(shown);
      result.bytesFreed += bytes;
    } catch (error) {
      // One that cannot be read or removed must not keep the others.
      result.skipped.push({ path: shown, reason: (error as Error).message });
    }
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

/** Every path in the project that an exclude means: links may lead to it. */
function checkedExclude(root: string, path: string): string[] {
  const named = resolve(root, path);
  const meant = [
    named,
    join(realPath(dirname(named)), basename(named)),
    realPath(named),
  ].filter((place) => isWithin(root, place));
  if (meant.length > 0) return meant;
  throw new UsageError(
    "CLIBS_CLEAN_EXCLUDE",
    `Cannot exclude ${path}: it is outside of the project`,
    { facts: { project: root }, hint: "name a path below the project" },
  );
}

/** Whether a path is a folder, or lies below it. */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

/** The path with links resolved as far as it exists. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
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
  if (!isWithin(root, folder)) return "it is outside of the project";
  return Deno.realPathSync(folder) === folder
    ? undefined
    : "a link leads to its folder";
}

function excluded(
  kept: readonly string[],
  path: string,
): string | undefined {
  const isKept = kept.some((other) =>
    isWithin(other, path) || isWithin(path, other)
  );
  return isKept ? "excluded" : undefined;
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
