import { deepEqual, equal } from "node:assert/strict";
import type { BuildSpec } from "../../../lib/packages/spec.ts";
import {
  buildForTarget,
  matchesTarget,
} from "../../../lib/packages/spec_target.ts";

const cases: [string, string, boolean][] = [
  ["wasm32-*", "wasm32-unknown-wasi", true],
  ["*-linux-*", "x86_64-linux-gnu", true],
  ["*-linux-gnu", "x86_64-linux-gnux32", false],
  ["x86?64-linux-gnu", "x86_64-linux-gnu", true],
  ["*", "anything", true],
  ["a.b", "axb", false],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "a-b-b-cd", false],
  ["**", "", true],
  ["?", "", false],
  // As a regular expression this one takes minutes.
  ["*a".repeat(14) + "b", "a".repeat(60), false],
  ["linux", "x86_64-linux-gnu", false],
];

Deno.test("matchesTarget() matches whole triples", async (t) => {
  for (const [pattern, target, expected] of cases) {
    await t.step(
      `${pattern} ${target}`,
      () => equal(matchesTarget(pattern, target), expected),
    );
  }
});

Deno.test("buildForTarget() takes the first override that matches", () => {
  const spec: BuildSpec = {
    command: "make",
    env: { A: "1", B: "1" },
    empty: false,
    targets: [
      { pattern: "wasm32-*", command: "emmake make", env: { B: "2" } },
      { pattern: "*", env: { C: "3" } },
    ],
  };
  deepEqual(buildForTarget(spec, "wasm32-wasi"), {
    command: "emmake make",
    env: { A: "1", B: "2" },
  });
  deepEqual(buildForTarget(spec, "x86_64-linux-gnu"), {
    command: "make",
    env: { A: "1", B: "1", C: "3" },
  });
});
