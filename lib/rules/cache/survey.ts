/** Everything that is in a cache, counted. */

import { join } from "node:path";
import {
  lstatIfExists,
  readTextIfExists,
  sortedEntries,
} from "../../host/files.ts";
import { discard } from "./blobs.ts";
import { isEntryName, MAX_ENTRY_BYTES, readHead } from "./format.ts";
import { entryOnDisk, onDisk } from "./space.ts";

/** An entry of a cache. */
export interface FoundEntry {
  /** Absolute path. */
  path: string;
  /** Disk space that it takes without its contents. */
  bytes: number;
  /** How long its job ran. */
  durationMs: number;
  /** When it was last used, to the hour, in milliseconds since 1970. */
  usedMs: number;
  /** Digests of the contents that it needs. */
  contents: string[];
}

/** A content of a cache. */
export interface FoundContent {
  /** Absolute paths of its forms. */
  paths: string[];
  /** Disk space that it takes. */
  bytes: number;
  /** Number of entries that need it. */
  users: number;
}

/** All there is. */
export interface Survey {
  entries: FoundEntry[];
  /** By digest. */
  contents: Map<string, FoundContent>;
}

/** Entries read without letting anything else happen. */
const BATCH = 200;

/**
 * Counts what is in a cache, and removes what does not belong there.
 *
 * @param root Folder of a version of the cache.
 */
export async function survey(root: string): Promise<Survey> {
  const contents = new Map<string, FoundContent>();
  for (const path of filesBelow(join(root, "blobs"), 1)) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const sha256 = name.replace(/\.zst$/, "");
    if (!/^[0-9a-f]{64}$/.test(sha256)) {
      discard(path);
      continue;
    }
    const found = contents.get(sha256) ?? { paths: [], bytes: 0, users: 0 };
    found.paths.push(path);
    // Readers remove what they refuse at any time.
    found.bytes += onDisk(lstatIfExists(path)?.size ?? 0);
    contents.set(sha256, found);
  }
  const entries: FoundEntry[] = [];
  let seen = 0;
  for (const path of filesBelow(join(root, "jobs"), 2)) {
    const entry = entryAt(path);
    if (!entry) {
      discard(path);
      continue;
    }
    entries.push(entry);
    for (const sha256 of entry.contents) {
      const content = contents.get(sha256);
      if (content) content.users++;
    }
    if (++seen % BATCH === 0) await new Promise((done) => setTimeout(done, 0));
  }
  return { entries, contents };
}

function entryAt(path: string): FoundEntry | undefined {
  if (!isEntryName(path.slice(path.lastIndexOf("/") + 1))) return undefined;
  const info = lstatIfExists(path);
  if (!info?.isFile || info.size > MAX_ENTRY_BYTES) return undefined;
  const head = readHead(readTextIfExists(path) ?? "");
  return head && {
    path,
    bytes: entryOnDisk(info.size),
    durationMs: head.durationMs,
    usedMs: info.mtime?.getTime() ?? 0,
    contents: [...new Set(head.contents)],
  };
}

/** Paths of what lies so many folders deep. */
function* filesBelow(folder: string, depth: number): Generator<string> {
  // A link would lead to what is none of ours to remove.
  for (const { name, isDirectory } of sortedEntries(folder)) {
    const path = join(folder, name);
    if (depth === 0) yield path;
    else if (isDirectory) yield* filesBelow(path, depth - 1);
    else discard(path);
  }
}
