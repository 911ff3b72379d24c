/** A result cache on disk: looks entries up, hands them out, takes them in. */

import { join } from "node:path";
import { isAbsent, lstatIfExists } from "../../host/files.ts";
import { Blobs, discard, type Packed } from "./blobs.ts";
import {
  CACHE_FORMAT,
  type Entry,
  isEntryName,
  MAX_ENTRY_BYTES,
  readEntry,
  writeEntry,
} from "./format.ts";
import { makeFolder, type Modes, modesOf } from "./modes.ts";
import { entryOnDisk, onDisk, Space } from "./space.ts";

/** Most entries that a job has: of those with other deps, the oldest goes. */
const MAX_ENTRIES = 16;
/** An entry's date tells when it was used no finer than this. */
const USED_MS = 3_600_000;

/** An entry of a cache, read and checked. */
export interface Found {
  /** Absolute path. */
  path: string;
  entry: Entry;
}

/** A result cache. */
export class ResultCache {
  /** Name by which rules know it. */
  readonly name: string;
  /** Contents of targets. */
  readonly blobs: Blobs;
  readonly #root: string;
  readonly #modes: Modes;
  readonly #space: Space;
  readonly #onRefused: (path: string, problem: string) => void;

  /**
   * Opens a cache, making its folder if it is not there.
   *
   * @param dir Absolute path; its mode says who may write.
   * @param limit Most bytes that it may take.
   * @param onRefused Told of each entry that had to be thrown away.
   */
  constructor(
    name: string,
    dir: string,
    limit: number,
    onRefused: (path: string, problem: string) => void,
  ) {
    Deno.mkdirSync(dir, { recursive: true });
    this.name = name;
    this.#root = join(dir, `lmake-v${CACHE_FORMAT}`);
    this.#modes = modesOf(dir);
    this.blobs = new Blobs(this.#root, this.#modes);
    this.#space = new Space(this.#root, limit, this.#modes);
    this.#onRefused = onRefused;
  }

  #folder(key: string): string {
    return join(this.#root, "jobs", key.slice(0, 2), key);
  }

  /** Names of the entries of a key. */
  names(key: string): string[] {
    try {
      return [...Deno.readDirSync(this.#folder(key))].map(({ name }) => name)
        .filter(isEntryName).sort();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  /** The entries of a key; those that are no good are removed. */
  *entries(key: string): Generator<Found> {
    for (const name of this.names(key)) {
      const path = join(this.#folder(key), name);
      const entry = this.#read(path, name);
      if (typeof entry === "object") yield { path, entry };
      else if (entry !== undefined) this.refuse(path, entry);
    }
  }

  /** An entry, what is wrong with it, or undefined if it is gone. */
  #read(path: string, name: string): Entry | string | undefined {
    const info = lstatIfExists(path);
    if (!info) return undefined;
    if (!info.isFile) return "it is no file";
    if (info.size > MAX_ENTRY_BYTES) return `it has ${info.size} bytes`;
    try {
      const text = Deno.readTextFileSync(path);
      return readEntry(name, text, this.#space.limit);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Throws an entry away, and tells so. */
  refuse(path: string, problem: string): void {
    discard(path);
    this.#onRefused(path, problem);
  }

  /** Throws an entry away whose contents are not there any more. */
  drop(path: string): void {
    discard(path);
  }

  /** Notes that an entry was used. */
  use({ path }: Found): void {
    const used = lstatIfExists(path)?.mtime?.getTime();
    if (used === undefined || Date.now() - used < USED_MS) return;
    const now = new Date();
    try {
      Deno.utimeSync(path, now, now);
    } catch {
      this.#renew(path);
    }
  }

  /** Only the owner of a file may set its date; a copy of it is one's own. */
  #renew(path: string): void {
    try {
      const bytes = Deno.readFileSync(path);
      const written = (to: Deno.FsFile) => to.writeSync(bytes) === bytes.length;
      this.blobs.publish(path, written).catch(() => {});
    } catch {
      // A cache that only others write serves as well.
    }
  }

  /**
   * Takes an entry in, with the contents of its targets.
   *
   * @returns Whether it is there now: not if there is no room for it, or a file
   *   changed meanwhile.
   */
  async add(key: string, entry: Entry, contents: Packed[]): Promise<boolean> {
    const { name, text } = writeEntry(entry);
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > MAX_ENTRY_BYTES) return false;
    // What a reader would refuse is not for others.
    const read = readEntry(name, text, this.#space.limit);
    if (typeof read === "string") return false;
    const needs = () =>
      entryOnDisk(bytes.length) + contents
        .filter(({ content }) => !this.blobs.has(content))
        .reduce((sum, { stored }) => sum + onDisk(stored), 0);
    const isThere = await this.#space.sharing(needs, async () => {
      for (const packed of contents) {
        if (!await this.blobs.put(packed)) return false;
      }
      const folder = this.#folder(key);
      makeFolder(folder, this.#modes);
      this.#keepNewest(folder);
      return await this.blobs.publish(
        join(folder, name),
        (to) => to.writeSync(bytes) === bytes.length,
      );
    });
    return isThere ?? false;
  }

  #keepNewest(folder: string): void {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter(isEntryName);
    if (names.length < MAX_ENTRIES) return;
    const oldest = names.map((name) => join(folder, name))
      .map((path) => ({ path, at: lstatIfExists(path)?.mtime?.getTime() ?? 0 }))
      .sort((a, b) => b.at - a.at);
    for (const { path } of oldest.slice(MAX_ENTRIES - 1)) discard(path);
  }
}
