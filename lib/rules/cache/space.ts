/**
 * How much a cache holds: never more than it may.
 *
 * Whoever stores holds a shared lock, and notes beforehand what it will take
 * in the file `usage`. Whoever makes room holds the lock alone: nothing is
 * being written then, so that everything there can be counted. A writer that
 * was killed leaves a number that is too high, which the next count corrects.
 */

import { join } from "node:path";
import { isAbsent } from "../../host/files.ts";
import { discard } from "./blobs.ts";
import { makeFolder, type Modes } from "./modes.ts";
import { type Survey, survey } from "./survey.ts";

/** Disk space comes in blocks. */
const BLOCK = 4096;
/** Part of the size that is left after making room, so that it is rarely made. */
const KEPT = 0.9;
/** Time in which what an entry is worth halves if nobody uses it. */
const HALF_LIFE_MS = 2 * 86_400_000;

/** Disk space that a file takes. */
export function onDisk(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK;
}

/** Disk space of an entry with `bytes` of text: that of its folder counts too. */
export function entryOnDisk(bytes: number): number {
  return onDisk(bytes) + BLOCK;
}

/** The space of a cache. */
export class Space {
  /** Most bytes that it may take. */
  readonly limit: number;
  readonly #root: string;
  readonly #modes: Modes;

  /**
   * @param root Folder of a version of the cache.
   * @param limit Most bytes that it may take.
   */
  constructor(root: string, limit: number, modes: Modes) {
    this.#root = root;
    this.limit = limit;
    this.#modes = modes;
  }

  /**
   * Does some work that adds to the cache.
   *
   * @param need Tells how much it will take; asked when nobody can make room.
   * @returns Undefined if there is no room for it.
   */
  async sharing<T>(
    need: () => number,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    for (let attempt = 0; attempt < 3; attempt++) {
      let missing: number;
      {
        using lock = this.#open("lock");
        if (!lock.tryLockSync(false)) await lock.lock(false);
        missing = need();
        if (missing > this.limit) return undefined;
        if (this.#reserve(missing)) return await work();
      }
      await this.makeRoom(missing);
    }
    return undefined;
  }

  /** Notes that bytes will be taken; false if there are not so many left. */
  #reserve(bytes: number): boolean {
    using file = this.#open("usage");
    // Held for an instant, and never while waiting for anything else.
    file.lockSync(true);
    const used = readNumber(file);
    if (used === undefined || used + bytes > this.limit) return false;
    if (bytes > 0) writeNumber(file, used + bytes);
    return true;
  }

  /**
   * Counts what is there, and removes what is worth least until there is room.
   *
   * An entry is worth the time that a hit saves for each byte, halved for each
   * time that it was not used for {@linkcode HALF_LIFE_MS}.
   *
   * @param need Bytes that are to be added.
   */
  async makeRoom(need: number): Promise<void> {
    using lock = this.#open("lock");
    if (!lock.tryLockSync(true)) await lock.lock(true);
    discard(join(this.#root, "tmp"));
    const found = await survey(this.#root);
    let used = removeOrphans(found);
    // Somebody else may have made room meanwhile.
    if (used + need > this.limit) {
      const goal = Math.max(0, Math.min(this.limit * KEPT, this.limit - need));
      used = evict(found, used, goal);
    }
    using file = this.#open("usage");
    file.lockSync(true);
    writeNumber(file, used);
  }

  #open(name: string): Deno.FsFile {
    const path = join(this.#root, name);
    const options = { read: true, write: true };
    try {
      return Deno.openSync(path, options);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    makeFolder(this.#root, this.#modes);
    try {
      const file = Deno.openSync(path, { ...options, createNew: true });
      Deno.chmodSync(path, this.#modes.file);
      return file;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      return Deno.openSync(path, options);
    }
  }
}

/** Removes contents that no entry needs; returns what the rest takes. */
function removeOrphans({ entries, contents }: Survey): number {
  let used = 0;
  for (const [sha256, content] of contents) {
    if (content.users === 0) {
      if (content.paths.every(discard)) contents.delete(sha256);
    }
    if (contents.has(sha256)) used += content.bytes;
  }
  for (const entry of entries) used += entry.bytes;
  return used;
}

/** Removes the entries that are worth least; returns what the rest takes. */
function evict(
  { entries, contents }: Survey,
  used: number,
  goal: number,
): number {
  const now = Date.now();
  const rated = entries.map((entry) => {
    let bytes = entry.bytes;
    for (const sha256 of entry.contents) {
      const content = contents.get(sha256);
      if (content) bytes += content.bytes / content.users;
    }
    const age = Math.max(0, now - entry.usedMs);
    const worth = (entry.durationMs + 1) * 2 ** (-age / HALF_LIFE_MS);
    return { entry, worth: worth / bytes };
  }).sort((a, b) => a.worth - b.worth);
  for (const { entry } of rated) {
    if (used <= goal) break;
    if (!discard(entry.path)) continue;
    used -= entry.bytes;
    try {
      // If it was the only one of its job.
      Deno.removeSync(join(entry.path, ".."));
    } catch {
      // It has others.
    }
    for (const sha256 of entry.contents) {
      const content = contents.get(sha256);
      if (!content || --content.users > 0) continue;
      if (content.paths.every(discard)) used -= content.bytes;
    }
  }
  return used;
}

/** The number in a file; undefined if there is none. */
function readNumber(file: Deno.FsFile): number | undefined {
  const buffer = new Uint8Array(32);
  file.seekSync(0, Deno.SeekMode.Start);
  const n = file.readSync(buffer) ?? 0;
  const text = new TextDecoder().decode(buffer.subarray(0, n));
  return /^\d{15}\n/.test(text) ? Number(text.slice(0, 15)) : undefined;
}

/**
 * All numbers have one length: a file that is cut short before it is written is
 * flushed to disk by some file systems, each time.
 */
function writeNumber(file: Deno.FsFile, value: number): void {
  file.seekSync(0, Deno.SeekMode.Start);
  const text = `${Math.ceil(value)}`.padStart(15, "0");
  file.writeSync(new TextEncoder().encode(`${text}\n`));
}
