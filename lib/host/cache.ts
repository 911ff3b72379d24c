/**
 * The content cache: files by their SHA-256.
 *
 * `<cache>/files-v1/<first two digits>/<digest>`, complete or absent. A folder
 * carries its format's version, so that two releases can share one cache.
 */

import { join } from "node:path";
import { sha256File } from "./digest.ts";
import { isAbsent, lstatIfExists, removeTree, treeSize } from "./files.ts";

/** Folder of complete files. */
const FILES = "files-v1";
/** Folder of unfinished downloads. */
const PARTIAL = "partial-v1";
/** Younger entries than this may be in use by a command that just got them. */
const IN_USE_MS = 60_000;
/** End of the name of a download's lock, which stays for whoever waits for it. */
const LOCK = ".lock";

/**
 * Where a file of some content is, or would be.
 *
 * @throws {RangeError} If `sha256` is not 64 lower-case hex digits: a path made
 *   of anything else could leave the cache.
 */
export function cachedPath(cache: string, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new RangeError(`Not a SHA-256: ${JSON.stringify(sha256)}`);
  }
  return join(cache, FILES, sha256.slice(0, 2), sha256);
}

/**
 * The cached file of some content, if it is there and really has that content.
 *
 * @param onCorrupt Told when an entry had to be thrown away.
 */
export function lookUp(
  cache: string,
  sha256: string,
  onCorrupt: (path: string) => void,
): { path: string; size: number } | undefined {
  const path = cachedPath(cache, sha256);
  const info = lstatIfExists(path);
  if (!info) return undefined;
  if (!info.isFile || sha256File(path) !== sha256) {
    removeTree(path);
    onCorrupt(path);
    return undefined;
  }
  const now = new Date();
  try {
    Deno.utimeSync(path, now, now);
  } catch {
    // A read-only cache serves as well; it just cannot tell what is used.
  }
  return { path, size: info.size };
}

/** Moves a complete file into the cache. */
export function publish(
  cache: string,
  sha256: string,
  file: string,
): string {
  const path = cachedPath(cache, sha256);
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  Deno.chmodSync(file, 0o444);
  Deno.renameSync(file, path);
  return path;
}

/** Folder for the unfinished download of a URL. */
export function partialDir(cache: string, urlDigest: string): string {
  return join(cache, PARTIAL, urlDigest);
}

/** One thing in the cache. */
export interface CacheEntry {
  /** Absolute path. */
  path: string;
  /** What it is. */
  kind: "file" | "partial" | "git";
  /** Bytes that its removal frees. */
  bytes: number;
  /** Last use, in milliseconds since the epoch. */
  usedMs: number;
}

/** Everything in the cache, the longest unused first. */
export function cacheEntries(cache: string): CacheEntry[] {
  const entries: CacheEntry[] = [];
  const add = (path: string, kind: CacheEntry["kind"]) => {
    const info = lstatIfExists(path);
    if (!info) return;
    entries.push({
      path,
      kind,
      bytes: treeSize(path),
      usedMs: lastChange(path, info, kind),
    });
  };
  for (const prefix of list(join(cache, FILES))) {
    for (const path of list(prefix)) add(path, "file");
  }
  for (const path of list(join(cache, PARTIAL))) {
    if (!path.endsWith(LOCK)) add(path, "partial");
  }
  for (const path of list(join(cache, "git-v1"))) {
    if (path.endsWith(".git")) add(path, "git");
  }
  return entries.sort((a, b) => a.usedMs - b.usedMs);
}

function list(dir: string): string[] {
  try {
    return [...Deno.readDirSync(dir)].map((entry) => join(dir, entry.name))
      .sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** When an entry was last used or written to, in milliseconds since the epoch. */
function lastChange(
  path: string,
  info: Deno.FileInfo,
  kind: CacheEntry["kind"],
): number {
  const own = info.mtime?.getTime() ?? 0;
  if (kind !== "partial") return own;
  // A folder's date does not move while the file in it grows.
  const inner = list(path).map((file) => lstatIfExists(file)?.mtime?.getTime());
  return Math.max(own, ...inner.map((time) => time ?? 0));
}

/** Whether a command may be using an entry right now. */
export function isInUse(entry: CacheEntry): boolean {
  return Date.now() - entry.usedMs < IN_USE_MS || !ifUnlocked(entry, () => {});
}

/**
 * Removes one thing from the cache, unless it may be in use.
 *
 * @returns Whether it is gone.
 */
export function removeCacheEntry(entry: CacheEntry): boolean {
  if (isInUse(entry)) return false;
  return ifUnlocked(entry, () => removeTree(entry.path));
}

/** Does some work unless a download holds the entry's lock; tells whether it did. */
function ifUnlocked(entry: CacheEntry, work: () => void): boolean {
  const path = entry.path + LOCK;
  if (entry.kind !== "partial" || !lstatIfExists(path)) {
    work();
    return true;
  }
  using lock = Deno.openSync(path, { read: true, write: true });
  if (!lock.tryLockSync(true)) return false;
  work();
  return true;
}
