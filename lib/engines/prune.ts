/** Removes old versions from the cache of engines. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { SkippedPath } from "../artifacts/clean.ts";
import {
  isAbsent,
  lstatIfExists,
  removeTree,
  sortedEntries,
  treeSize,
} from "../host/files.ts";
import { lockHolder } from "./lock_state.ts";
import { findProject } from "./project.ts";

/** Options of {@linkcode pruneCache}. */
export interface PruneOptions {
  /** Folder with the `NAME.cpp` files. Default: `core/engines`. */
  sourceDir?: string;
  /** How many ABI keys stay, the newest. Default: 3. */
  maxVersions?: number;
  /** Keys that were not built for so many days go. Default: 30. */
  maxAgeDays?: number;
  /** Only tell what would be removed. Default: false. */
  dryRun?: boolean;
}

/** Result of {@linkcode pruneCache}; paths are relative to the cache. */
export interface PruneReport {
  /** Version of this form. */
  version: 1;
  /** What was, or would be, removed. */
  removed: string[];
  /** Keys that stay. */
  kept: string[];
  /** What should go and stays, and why. */
  skipped: SkippedPath[];
  /** Sum of the sizes of the removed files. */
  bytesFreed: number;
  /** Whether nothing was really removed. */
  dryRun: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Folder of the verified copies. */
const LOADED = "loaded";

/**
 * Keeps the newest ABI keys of each kind of engine and removes the others. A
 * cache that a link leads to is left alone.
 *
 * @throws {RangeError} If a limit is not a number from 0 up.
 */
export function pruneCache(options: PruneOptions = {}): PruneReport {
  const { maxVersions = 3, maxAgeDays = 30, dryRun = false } = options;
  // Compared with NaN, every key would be too old.
  if (!(maxVersions >= 0)) {
    throw new RangeError("maxVersions must be 0 or more");
  }
  if (!(maxAgeDays >= 0)) throw new RangeError("maxAgeDays must be 0 or more");
  const { cache } = findProject(options.sourceDir);
  const report: PruneReport = {
    version: 1,
    removed: [],
    kept: [],
    skipped: [],
    bytesFreed: 0,
    dryRun,
  };
  if (!lstatIfExists(cache)) return report;
  if (Deno.realPathSync(cache) !== cache) {
    report.skipped.push({ path: ".", reason: "a link leads to the cache" });
    return report;
  }
  const oldest = Date.now() - maxAgeDays * DAY_MS;
  const keys = sortedEntries(cache)
    .filter(({ name, isDirectory }) => isDirectory && name !== LOADED)
    .map(({ name }) => ({ name, usedMs: newestIn(join(cache, name)) }))
    .sort((a, b) => b.usedMs - a.usedMs);
  const seen = new Map<string, number>();
  for (const { name, usedMs } of keys) {
    // What a killed prune left.
    const isGoing = name.startsWith(".removed-");
    const kind = name.split("-")[0] ?? "";
    const rank = seen.get(kind) ?? 0;
    if (!isGoing) seen.set(kind, rank + 1);
    if (!isGoing && rank < maxVersions && usedMs >= oldest) {
      report.kept.push(name);
    } else remove(cache, name, report);
  }
  for (const { name } of sortedEntries(join(cache, LOADED))) {
    const path = join(LOADED, name);
    // A program that has one loaded keeps its memory, whatever goes here.
    if (newestIn(join(cache, path)) < oldest) remove(cache, path, report);
  }
  return report;
}

function remove(cache: string, name: string, report: PruneReport): void {
  const path = join(cache, name);
  try {
    const reason = lockHolder(path);
    if (reason !== undefined) {
      report.skipped.push({ path: name, reason });
      return;
    }
    const bytes = treeSize(path);
    if (!report.dryRun) {
      // Gone at once for those who look for it: half a key is never seen.
      const going = join(cache, `.removed-${randomBytes(6).toString("hex")}`);
      Deno.renameSync(path, going);
      removeTree(going);
    }
    report.removed.push(name);
    report.bytesFreed += bytes;
  } catch (error) {
    // Another prune was quicker.
    if (isAbsent(error)) return;
    report.skipped.push({ path: name, reason: (error as Error).message });
  }
}

/** When a file, or the newest entry of a folder, was last written. */
function newestIn(path: string): number {
  const times = [
    path,
    ...sortedEntries(path).map(({ name }) => join(path, name)),
  ]
    .map((file) => lstatIfExists(file)?.mtime?.getTime() ?? 0);
  return Math.max(...times);
}
