import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  cachedPath,
  cacheEntries,
  type CacheEntry,
  isInUse,
  lookUp,
  publish,
  removeCacheEntry,
} from "../../lib/host/cache.ts";
import { sha256Hex } from "../../lib/host/digest.ts";
import { withLock } from "../../lib/host/lock.ts";
import { TempDir } from "../support/temp.ts";

const old = new Date(Date.now() - 3_600_000);

/** Makes everything in a cache look unused for an hour. */
function age(path: string): void {
  for (const entry of Deno.readDirSync(path)) {
    if (entry.isDirectory) age(`${path}/${entry.name}`);
    else Deno.utimeSync(`${path}/${entry.name}`, old, old);
  }
  Deno.utimeSync(path, old, old);
}

function only(cache: TempDir): CacheEntry {
  const entries = cacheEntries(cache.path);
  equal(entries.length, 1);
  return entries[0] as CacheEntry;
}

Deno.test("cacheEntries() lists files and unfinished downloads, not their locks", () => {
  using cache = new TempDir();
  cache.write({
    "new": "abc",
    "partial-v1/0a/body": "12345",
    "partial-v1/0a/meta.json": "{}",
    "partial-v1/0a.lock": "",
    "partial-v1/0b.lock": "",
  });
  const path = publish(cache.path, sha256Hex("abc"), cache.join("new"));
  deepEqual(
    cacheEntries(cache.path).map(({ path, kind, bytes }) => [path, kind, bytes])
      .sort(),
    [
      [path, "file", 3],
      [cache.join("partial-v1/0a"), "partial", 7],
    ],
  );
});

Deno.test("removeCacheEntry() keeps what was used within the last minute", () => {
  using cache = new TempDir();
  cache.write({ "new": "abc" });
  const digest = sha256Hex("abc");
  const path = publish(cache.path, digest, cache.join("new"));
  age(cache.path);
  lookUp(cache.path, digest, () => {});
  equal(isInUse(only(cache)), true);
  equal(removeCacheEntry(only(cache)), false);
  age(cache.path);
  equal(removeCacheEntry(only(cache)), true);
  equal(cache.has(`files-v1/${digest.slice(0, 2)}/${digest}`), false);
  equal(lookUp(cache.path, digest, () => {}), undefined);
  ok(path.endsWith(digest));
});

Deno.test("removeCacheEntry() keeps a download that is still being written", () => {
  using cache = new TempDir();
  cache.write({ "partial-v1/0a/body": "1", "partial-v1/0a/meta.json": "{}" });
  age(cache.path);
  // The folder's own date stays old while bytes are added to the file in it.
  cache.write({ "partial-v1/0a/body": "12" });
  Deno.utimeSync(cache.join("partial-v1/0a"), old, old);
  equal(removeCacheEntry(only(cache)), false);
  equal(cache.read("partial-v1/0a/body"), "12");
});

Deno.test("removeCacheEntry() keeps a download whose lock is held, then removes it", async () => {
  using cache = new TempDir();
  cache.write({ "partial-v1/0a/body": "1" });
  const lock = cache.join("partial-v1/0a.lock");
  await withLock(lock, { doing: "fetching a" }, () => {
    age(cache.path);
    equal(isInUse(only(cache)), true);
    equal(removeCacheEntry(only(cache)), false);
    return Promise.resolve();
  });
  age(cache.path);
  equal(removeCacheEntry(only(cache)), true);
  equal(cache.has("partial-v1/0a"), false);
  // Another process may be about to lock it.
  equal(cache.has("partial-v1/0a.lock"), true);
});

Deno.test("lookUp() refuses a digest that would lead out of the cache", () => {
  using cache = new TempDir();
  cache.write({ "victim/file": "precious" });
  throws(
    () => lookUp(cache.path, "../../victim", () => {}),
    new RangeError('Not a SHA-256: "../../victim"'),
  );
  throws(() => cachedPath(cache.path, "ABC"), RangeError);
  equal(cache.read("victim/file"), "precious");
});

Deno.test("publish() makes a file that nobody writes to by mistake", () => {
  using cache = new TempDir();
  cache.write({ "new": "abc" });
  const digest = sha256Hex("abc");
  const path = publish(cache.path, digest, cache.join("new"));
  equal(Deno.statSync(path).mode! & 0o777, 0o444);
  deepEqual(lookUp(cache.path, digest, () => {}), { path, size: 3 });
});
