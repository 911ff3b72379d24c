/** Walks through examples/cc, with the jobs that run at each step. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LmakeRepo, words } from "../../support/lmake.ts";
import { has } from "../../support/tools.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/cc", import.meta.url));

const TESTS = ["division", "parentheses", "precedence"].map((name) =>
  `Test tests/${name}.result`
);
const SCATTER = "Scatter tests/{T*}.test";

Deno.test({
  name: "the C/C++ example runs what it has to, step by step",
  ignore: Deno.build.os !== "linux" || !has("gcc") || !has("g++"),
  async fn(t) {
    using repo = new LmakeRepo();
    load(repo);
    const edit = (name: string, from: string | RegExp, to: string) => {
      const text = repo.content(name);
      assert.notEqual(text.replace(from, to), text, `${name} has no ${from}`);
      repo.source({ [name]: text.replace(from, to) });
    };
    const step = async (
      name: string,
      change: () => void,
      ran: string[],
      steady = 0,
    ) => {
      await t.step(name, async () => {
        change();
        await repo.make("report.txt", {
          ran,
          // A run may have to wait for a dep before it counts: was_done.
          words: {
            done: [0, ran.length - steady],
            was_done: [0, ran.length - steady],
            steady: [0, steady],
            was_steady: [0, steady],
            again: [0, 3 * ran.length],
          },
        });
      });
    };

    await t.step("first build", async () => {
      const run = await repo.make("report.txt", {
        words: { done: 13, again: [1, 20] },
      });
      const markers = run.jobs.filter(({ job, word }) =>
        word === "done" && job.endsWith("/...")
      );
      assert.deepEqual(
        markers.map(({ job }) => job).sort(),
        ["gen/...", "include/..."],
      );
      assert.equal(
        repo.content("report.txt"),
        "precedence: passed\nparentheses: passed\ndivision: passed\n3 passed\n",
      );
      assert.deepEqual(words(repo.content("bin/calc.objects")).sort(), [
        "src/calc.o",
        "src/eval.o",
        "src/expr.o",
      ]);
    });
    await step("again", () => {}, []);
    await step("touch", () => repo.touch("src/eval.cc"), []);
    await step(
      "comment edit",
      () => edit("src/expr.c", "/* Operands with", "/* All operands, with"),
      ["CompileC src/expr.o", "Objects bin/calc.objects"],
      2,
    );
    await step(
      "real edit",
      () => edit("src/expr.c", "strtol(*at, &end, 10)", "strtol(*at, &end, 0)"),
      [
        "CompileC src/expr.o",
        "Objects bin/calc.objects",
        "Link bin/calc",
        ...TESTS,
      ],
      1 + TESTS.length,
    );
    await step(
      "comment edit of a header",
      () => edit("include/eval.h", "/* Computes a value;", "/* Finds a value;"),
      ["CompileC src/calc.o", "CompileCxx src/eval.o"],
      2,
    );
    await step(
      "header edit",
      () => edit("include/eval.h", "EVAL_MAX_DEPTH 100", "EVAL_MAX_DEPTH 90"),
      [
        "CompileC src/calc.o",
        "CompileCxx src/eval.o",
        "Link bin/calc",
        ...TESTS,
      ],
      1 + TESTS.length,
    );
    await step(
      "edit of what a header is generated from",
      () => edit("version.txt", "1.0", "1.1"),
      [
        "Version gen/version.h",
        "CompileC src/calc.o",
        "Link bin/calc",
        ...TESTS,
      ],
      TESTS.length,
    );
    await step(
      "rule edit",
      () => edit("Lmakefile.ts", '"-std=c11", "-O1"', '"-std=c11", "-O2"'),
      [
        "CompileC src/calc.o",
        "CompileC src/expr.o",
        "Link bin/calc",
        ...TESTS,
      ],
      TESTS.length,
    );
    await step(
      "unrelated rule added",
      () =>
        repo.source({
          "Lmakefile.ts": repo.content("Lmakefile.ts") +
            'rule({ name: "Other", target: "other", cmd: "echo other" });\n',
        }),
      [],
    );
    await step(
      "intermediate removed",
      () => Deno.removeSync(repo.path("src/eval.o")),
      [],
    );
    assert.ok(!repo.has("src/eval.o"));

    const tests = repo.content("tests.txt");
    await step(
      "test added",
      () => repo.source({ "tests.txt": tests + "hexadecimal: 0x10 = 16\n" }),
      [SCATTER, "Test tests/hexadecimal.result", "Report report.txt"],
    );
    assert.match(
      repo.content("report.txt"),
      /^hexadecimal: passed\n4 passed$/m,
    );
    await step("test removed", () => repo.source({ "tests.txt": tests }), [
      SCATTER,
      "Report report.txt",
    ]);
    assert.match(repo.content("report.txt"), /^3 passed$/m);
    assert.ok(!repo.has("tests/hexadecimal.test"));
    await step("at the end", () => {}, []);
  },
});

/** Copies the sources of the example, and nothing that was built there. */
function load(repo: LmakeRepo): void {
  const manifest = Deno.readTextFileSync(`${EXAMPLE}/Manifest`);
  for (const name of manifest.split("\n")) {
    if (!name || name.startsWith("#")) continue;
    repo.source({ [name]: Deno.readTextFileSync(`${EXAMPLE}/${name}`) });
  }
}
