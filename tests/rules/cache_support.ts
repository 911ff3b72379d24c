/** Entries and caches for tests. */

import { createHash } from "node:crypto";
import type { Entry } from "../../lib/rules/cache/format.ts";
import { ResultCache } from "../../lib/rules/cache/store.ts";

/** SHA-256 of a text. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** An entry without targets. */
export function entryOf(more: Partial<Entry> = {}): Entry {
  return {
    rule: "Rule",
    job: "job",
    durationMs: 1000,
    deps: [],
    listings: [],
    targets: [],
    stdout: "",
    stderr: "",
    ...more,
  };
}

/** A cache which notes what it refused. */
export function cacheOf(
  dir: string,
  limit = 1e9,
): { cache: ResultCache; refused: string[] } {
  const refused: string[] = [];
  const cache = new ResultCache(
    "main",
    dir,
    limit,
    (_path, problem) => void refused.push(problem),
  );
  return { cache, refused };
}

/** Stores an entry with one target of some text, and tells whether it is there. */
export async function store(
  cache: ResultCache,
  name: string,
  text: string,
  more: Partial<Entry> = {},
): Promise<boolean> {
  const content = { sha256: sha256(text), size: text.length };
  const bytes = new TextEncoder().encode(text);
  const entry = entryOf({
    job: name,
    targets: [
      { file: name, flags: [], kind: "file", content, executable: false },
    ],
    ...more,
  });
  return await cache.add(sha256(name), entry, [{
    content,
    bytes,
    path: "",
    stored: bytes.length,
    isCompressed: false,
  }]);
}

/** Files below a folder, with their sizes. */
export function filesBelow(dir: string): { path: string; size: number }[] {
  return [...Deno.readDirSync(dir)].flatMap(({ name, isDirectory }) => {
    const path = `${dir}/${name}`;
    return isDirectory
      ? filesBelow(path)
      : [{ path, size: Deno.lstatSync(path).size }];
  });
}

/** Disk space, in blocks of 4096 bytes, of what a cache holds. */
export function diskSpaceOf(dir: string): number {
  return filesBelow(dir)
    .filter(({ path }) => !/\/(?:lock|usage)$/.test(path))
    .reduce((sum, { size }) => sum + Math.ceil(size / 4096) * 4096, 0);
}
