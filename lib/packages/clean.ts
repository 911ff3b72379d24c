/** Removes what can be made again. */

import { join } from "node:path";
import { cacheEntries, isInUse, removeCacheEntry } from "../host/cache.ts";
import { cacheDir } from "../host/dirs.ts";
import { lstatIfExists, removeTree, treeSize } from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { discoverPackages } from "./discover.ts";
import { packageLayout, unpackDir } from "./layout.ts";

/** What {@linkcode cleanPackages} removes. */
export interface CleanOptions {
  /** Only tell what would be removed. Default: false. */
  dryRun?: boolean;
  /**
   * `work`: working copies and logs' leftovers; `build`: built trees as well;
   * `all`: fetched sources as well. `_prebuilt` and pkg.lock.json always stay.
   * Default: `build`.
   */
  what?: "work" | "build" | "all";
  /** Interrupts waiting for a build that is running. */
  signal?: AbortSignal;
}

/** One removed path. */
export interface CleanedPath {
  /** Absolute path. */
  path: string;
  /** Sum of the sizes of its files. */
  bytes: number;
}

/** Result of {@linkcode cleanPackages}. */
export interface CleanReport {
  /** Version of this form. */
  version: 1;
  /** What was, or would be, removed, in order. */
  removed: CleanedPath[];
  /** Sum of all. */
  bytesFreed: number;
  /** Whether nothing was really removed. */
  dryRun: boolean;
}

/**
 * Removes what `clibs build` can make again, from every package at and below
 * some folders. Links are removed, never followed.
 *
 * @param paths Folders, or paths of pkg.yaml files.
 */
export async function cleanPackages(
  paths: readonly string[],
  options: CleanOptions = {},
): Promise<CleanReport> {
  const dryRun = options.dryRun ?? false;
  const removed: CleanedPath[] = [];
  for (const dir of discoverPackages(paths)) {
    for (const path of removable(dir, options.what ?? "build")) {
      if (!lstatIfExists(path)) continue;
      removed.push({ path, bytes: treeSize(path) });
      if (!dryRun) await removeLocked(dir, path, options.signal);
    }
  }
  const bytesFreed = removed.reduce((sum, { bytes }) => sum + bytes, 0);
  return { version: 1, removed, bytesFreed, dryRun };
}

/**
 * Empties the user's cache of downloads, except what may be in use: entries
 * younger than a minute.
 */
export function cleanCache(
  options: Pick<CleanOptions, "dryRun"> = {},
): CleanReport {
  const dryRun = options.dryRun ?? false;
  const removed = cacheEntries(cacheDir())
    .filter((entry) => dryRun ? !isInUse(entry) : removeCacheEntry(entry))
    .map(({ path, bytes }) => ({ path, bytes }));
  const bytesFreed = removed.reduce((sum, { bytes }) => sum + bytes, 0);
  return { version: 1, removed, bytesFreed, dryRun };
}

function removable(dir: string, what: "work" | "build" | "all"): string[] {
  const layout = packageLayout(dir);
  const build = join(dir, "_build");
  const paths = [
    join(dir, "_work"),
    layout.downloadTmp,
    unpackDir(layout.downloadTmp),
  ];
  if (what !== "work") paths.push(...builtPaths(build));
  if (what === "all") paths.push(layout.download);
  return paths;
}

/** Everything in `_build` but the lock files: their names must stay. */
function builtPaths(build: string): string[] {
  if (!lstatIfExists(build)?.isDirectory) return [];
  return [...Deno.readDirSync(build)]
    .map((entry) => entry.name)
    .filter((name) => !/^\..*\.(lock|running\.json)$/.test(name))
    .sort()
    .map((name) => join(build, name));
}

async function removeLocked(
  dir: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // The locks that a build and a fetch of this path would hold.
  const locks = locksOf(dir, path);
  const remove = locks.reduceRight<() => Promise<void>>(
    (work, lock) => () => withLock(lock, { doing: "cleaning", signal }, work),
    () => Promise.resolve(removeTree(path)),
  );
  await remove();
}

function locksOf(dir: string, path: string): string[] {
  const layout = packageLayout(dir);
  if (path.startsWith(layout.download)) return [layout.downloadLock];
  const build = join(dir, "_build");
  if (!lstatIfExists(build)?.isDirectory) return [];
  const all = [...Deno.readDirSync(build)].map((entry) => entry.name)
    .filter((name) => /^\..*\.lock$/.test(name))
    .sort();
  // The build locks first, then the sources': the order in which a build takes them.
  return [
    ...all.filter((name) => name !== ".download.lock"),
    ...all.filter((name) => name === ".download.lock"),
  ].map((name) => join(build, name));
}
