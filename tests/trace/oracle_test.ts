/** What each method sees of real programs, beside what strace sees. */

import assert from "node:assert/strict";
import { HIDDEN, SMALL } from "../support/cases.ts";
import { compareMethods } from "../support/compare.ts";
import { canTrace, has } from "../support/tools.ts";
import { isLinux } from "../support/trace.ts";

const TOOLS: Record<string, string> = { git: "git", node: "node" };
const isReady = isLinux && has("gcc") && canTrace();

for (const [name, one] of Object.entries(SMALL)) {
  Deno.test({
    name: `all methods see what strace sees: ${name}`,
    ignore: !isReady || !has(TOOLS[name] ?? "sh"),
    fn: async () => {
      const found = await compareMethods(one, ["ld_preload", "ptrace", "auto"]);
      assert.equal(found.slice(0, 10).join("\n"), "");
    },
  });
}

for (const [name, one] of Object.entries(HIDDEN)) {
  Deno.test({
    name: `ptrace sees what strace sees: ${name}`,
    ignore: !isReady || Deno.build.arch !== "x86_64" ||
      !(one.tools ?? []).every(has),
    fn: async () => {
      const methods = name.startsWith("names")
        ? ["ptrace"] as const
        : ["ptrace", "auto"] as const;
      const found = await compareMethods(one, methods);
      assert.equal(found.slice(0, 10).join("\n"), "");
    },
  });
}
