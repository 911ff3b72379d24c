/** Tests of single statements of the specification, each in a repo of its own. */

import { LmakeRepo } from "./lmake.ts";
import { has } from "./tools.ts";

/** A test of what LMAKE.md states; `needs` are programs. */
export function conforms(
  statement: string,
  test: (repo: LmakeRepo) => Promise<void>,
  needs: string[] = [],
): void {
  Deno.test({
    name: `lmake conforms: ${statement}`,
    ignore: Deno.build.os !== "linux" || !needs.every(has),
    async fn() {
      using repo = new LmakeRepo();
      await test(repo);
    },
  });
}
