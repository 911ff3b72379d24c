import assert from "node:assert/strict";
import { ClibsError } from "../../lib/errors.ts";
import { traceMethods } from "../../lib/trace/api.ts";
import { METHODS, obtainTools, parseMethod } from "../../lib/trace/methods.ts";
import { traceCommand } from "../../lib/trace/run.ts";
import { TempDir } from "../support/temp.ts";
import { mountTmpfs } from "../support/mount.ts";
import { has } from "../support/tools.ts";

const ignore = Deno.build.os !== "linux" || !has("cc");

Deno.test("parseMethod() knows the methods, and says what was meant", () => {
  for (const method of METHODS) assert.equal(parseMethod(method), method);
  for (const text of ["preload", "PTRACE", "", "au to"]) {
    assert.throws(() => parseMethod(text), (error) => {
      assert.ok(error instanceof ClibsError);
      assert.equal(error.code, "CLIBS_TRACE_METHOD");
      assert.equal(
        error.message,
        `Cannot trace with the method ${
          JSON.stringify(text)
        }: there is none of that name`,
      );
      assert.deepEqual(error.facts, {
        methods: "auto, ld_preload, ptrace, none",
      });
      return true;
    });
  }
});

Deno.test("nothing is needed where nothing is traced", async () => {
  assert.deepEqual(await obtainTools("none"), {});
});

Deno.test({
  name: "each method needs its own parts",
  ignore,
  fn: async () => {
    const names = async (method: "auto" | "ld_preload" | "ptrace") =>
      Object.keys(await obtainTools(method)).sort();
    assert.deepEqual(await names("ld_preload"), ["shim", "tracer"]);
    assert.deepEqual(await names("auto"), ["shim", "tracer"]);
    const states = await traceMethods();
    if (states.find(({ method }) => method === "ptrace")?.works) {
      assert.deepEqual(await names("ptrace"), ["tracer"]);
    }
  },
});

Deno.test({
  name: "a method that cannot be had says why",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    const env: Record<string, string> = {
      CLIBS_CACHE_DIR: dir.path,
      TMPDIR: dir.path,
      PATH: dir.path,
    };
    const reason = "Cannot compile a part of clibs: there is no C compiler";
    assert.deepEqual(await traceMethods({ env: (name) => env[name] }), [
      { method: "ld_preload", works: false, reason },
      { method: "ptrace", works: false, reason },
    ]);
  },
});

Deno.test({
  name: "a cache whose programs may not run is told",
  ignore: ignore || Deno.uid() !== 0,
  fn: async (t) => {
    using mount = mountTmpfs("noexec");
    if (!mount) return console.log("tmpfs cannot be mounted here");
    const env: Record<string, string> = {
      CLIBS_CACHE_DIR: mount.path,
      PATH: Deno.env.get("PATH")!,
    };
    await t.step("by the methods", async () => {
      const states = await traceMethods({ env: (name) => env[name] });
      assert.deepEqual(states.map(({ method, works }) => [method, works]), [
        ["ld_preload", false],
        ["ptrace", false],
      ]);
      for (const { reason } of states) assert.match(reason!, /denied/);
    });
  },
});

Deno.test({
  name: "a full file system loses records, and says so",
  ignore: ignore || Deno.uid() !== 0,
  fn: async () => {
    using mount = mountTmpfs("size=1m");
    if (!mount) return console.log("tmpfs cannot be mounted here");
    using dir = new TempDir();
    dir.write({
      "main.c": `#include <stdio.h>
#include <unistd.h>
int main(void) {
  char path[64];
  for (int i = 0; i < 50000; i++) {
    sprintf(path, "none/%d", i);
    access(path, F_OK);
  }
  return 7;
}
`,
    });
    const program = dir.join("program");
    new Deno.Command("cc", { args: ["-o", program, dir.join("main.c")] })
      .outputSync();
    for (const method of ["ld_preload", "ptrace"] as const) {
      const { code, trace } = await traceCommand({
        command: [program],
        cwd: dir.path,
        method,
        folder: mount.path,
        stdin: "null",
      });
      assert.equal(code, 7, method);
      assert.equal(trace.complete, false);
      const seen = trace.absent.length;
      assert.ok(seen > 1000 && trace.lost > 1000, `${seen} ${trace.lost}`);
      assert.ok(seen + trace.lost >= 50000, `${seen} ${trace.lost}`);
      // From the first on, in order.
      assert.equal(trace.absent[1], dir.join("none/1"));
    }
    assert.deepEqual([...Deno.readDirSync(mount.path)], []);
  },
});
