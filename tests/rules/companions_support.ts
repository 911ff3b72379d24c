/** A repo for the tests of the commands around `clibs make`. */

import assert from "node:assert/strict";
// Loaded once for all: a test must not seem to leave a library behind.
import "../../lib/host/libc.ts";
import type { Store } from "../../lib/rules/state/store.ts";
import { LmakeRepo } from "../support/lmake.ts";

/** A test with a repo of its own. */
export function test(
  name: string,
  fn: (repo: LmakeRepo) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

/** Rules of every kind. */
export const RULES = String.raw`
rule({ name: "Copy", targets: { T: "{F:\\w+}.copy" }, deps: { S: "{F}" }, cmd: "cat {S} extra >{T}" });
rule({
  name: "Two",
  targets: { A: "two.a", B: "two.b" },
  deps: { X: "s.copy", Y: "s" },
  stderrOk: true,
  environ: { WORD: "a b" },
  cmd: "ldepend t u; cat {X} >{A}; cat {Y} t >{B}; ltarget side; echo >side; echo said; echo warned >&2",
});
rule({ name: "Star", targets: { P: "parts/{N*:\\d}.txt" }, dep: "list", cmd: "while read n; do echo $n >parts/$n.txt; done" });
`;

/** A repo in which everything was made once. */
export async function made(repo: LmakeRepo): Promise<void> {
  repo.source({ s: "S\n", t: "T\n", u: "U\n", extra: "E\n", list: "1\n2\n" });
  repo.rules(RULES);
  await repo.make("two.a", "parts/1.txt", { unchecked: true });
  assert.ok(repo.has("two.b") && repo.has("side") && repo.has("parts/2.txt"));
}

/** A store that is closed with its scope. */
export function closing(store: Store): Store & Disposable {
  return Object.assign(store, { [Symbol.dispose]: () => store.close() });
}
