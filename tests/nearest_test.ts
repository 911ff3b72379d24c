import { equal } from "node:assert/strict";
import { nearest } from "../lib/nearest.ts";

const cases: [string, string[], string | undefined][] = [
  ["comand", ["env", "command"], "command"],
  ["Version", ["version"], "version"],
  ["fiels", ["files"], "files"],
  ["x", ["files", "git"], undefined],
  ["gti", ["git", "gtk"], "git"],
  ["", ["git"], undefined],
  ["ab", [], undefined],
];

Deno.test("nearest() finds what was probably meant", async (t) => {
  for (const [name, candidates, expected] of cases) {
    await t.step(
      `${name} of ${candidates}`,
      () => equal(nearest(name, candidates), expected),
    );
  }
});
