/**
 * Writes to a cache and reads from it, as a process of its own.
 *
 * Arguments: folder, first part of the names of its jobs, their number, size.
 * Fails if something was refused, or is not what it has to be.
 */

import assert from "node:assert/strict";
import { cacheOf, sha256, store } from "./cache_support.ts";

const [dir = "", name = "", count = "", limit = ""] = Deno.args;

/** What the job of some name makes; some make the same. */
function textOf(name: string): string {
  return `${name.replace(/^\d+/, "")} `.repeat(1000);
}

const { cache, refused } = cacheOf(dir, Number(limit));
for (let i = 0; i < Number(count); i++) {
  await store(cache, `${name} ${i}`, textOf(`${name} ${i}`));
  for (const other of ["1", "2", "3", "4"]) {
    const sought = `${other} ${i}`;
    for (const found of cache.entries(sha256(sought))) {
      const [target] = found.entry.targets;
      assert.ok(target?.kind === "file");
      const to = await Deno.makeTempFile();
      Deno.removeSync(to);
      const got = await cache.blobs.fetch(target.content, to, 0o666);
      cache.use(found);
      if (got === "gone") continue;
      assert.equal(got, "ok");
      assert.equal(Deno.readTextFileSync(to), textOf(sought));
      Deno.removeSync(to);
    }
  }
}
assert.deepEqual(refused, []);
