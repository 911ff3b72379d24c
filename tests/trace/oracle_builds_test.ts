/** What each method sees of builds, beside what strace sees. */

import assert from "node:assert/strict";
import { BUILDS, upstreamCase } from "../support/build_cases.ts";
import { compareMethods } from "../support/compare.ts";
import { canTrace, has } from "../support/tools.ts";
import { isLinux } from "../support/trace.ts";

const isReady = isLinux && has("gcc") && canTrace();
const METHODS = ["ld_preload", "ptrace"] as const;

for (const [name, { tools, ...one }] of Object.entries(BUILDS)) {
  Deno.test({
    name: `all methods see what strace sees of a build: ${name}`,
    ignore: !isReady || !tools.every(has),
    fn: async () => {
      const found = await compareMethods(one, METHODS);
      assert.equal(found.slice(0, 10).join("\n"), "");
    },
  });
}

const UPSTREAM: Record<string, string> = {
  "zlib": "./configure --static && make -j2 libz.a example",
  "lua5.4":
    "make -C src -j2 linux-readline MYLIBS= MYCFLAGS= SYSLIBS=-ldl || make -C src -j2 generic",
};

for (const [source, script] of Object.entries(UPSTREAM)) {
  Deno.test({
    name: `all methods see what strace sees of a build of ${source}`,
    ignore: !isReady || !has("make") || !has("apt-get"),
    fn: async () => {
      const one = await upstreamCase(source, script);
      const found = await compareMethods(one, METHODS);
      assert.equal(found.slice(0, 10).join("\n"), "");
    },
  });
}
