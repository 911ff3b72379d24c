/** Results that repos share: hits, refusals, and what is not shared. */

import assert from "node:assert/strict";
import { LmakeRepo } from "../../support/lmake.ts";
import { TempDir } from "../../support/temp.ts";
import { has } from "../../support/tools.ts";

function test(
  name: string,
  body: (cache: TempDir) => Promise<void>,
  needs: string[] = [],
): void {
  Deno.test({
    name: `lmake cache: ${name}`,
    ignore: Deno.build.os !== "linux" || !needs.every(has),
    async fn() {
      using cache = new TempDir();
      await body(cache);
    },
  });
}

/** A repo with some sources, whose rules have a cache. */
function repoOf(
  cache: TempDir,
  sources: Record<string, string>,
  rules: string,
  size = "1G",
): LmakeRepo {
  const repo = new LmakeRepo();
  repo.source(sources);
  repo.rules(
    `lmake.config.caches = { main: { dir: ${
      JSON.stringify(cache.path)
    }, size: ${JSON.stringify(size)} } };\n${rules}`,
  );
  return repo;
}

const CAT = `
rule({ name: "Cat", targets: { OUT: "{F:.*}.out" }, deps: { IN: "{F}.txt" },
  cache: "main", environ: { HERE: "$REPO_ROOT" },
  cmd: "cat {IN} $(cat {IN} | head -1).inc >{OUT}; [ -n \\"$HERE\\" ]" });
`;
const TEXTS = {
  "a.txt": "x\n",
  "x.inc": "X\n",
  "b.txt": "y\n",
  "y.inc": "Y\n",
};

test("the same repo elsewhere builds with hits only", async (cache) => {
  using one = repoOf(cache, TEXTS, CAT);
  await one.make("a.out", "b.out", { words: { done: 2 } });
  using other = repoOf(cache, TEXTS, CAT);
  await other.make("a.out", "b.out", { words: { hit_done: 2 } });
  assert.equal(other.content("a.out"), "x\nX\n");
  await other.make("a.out", "b.out", { words: {} });
  assert.deepEqual(await other.deps("a.out"), await one.deps("a.out"));
});
