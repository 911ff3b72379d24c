/** How `calc` is compiled, linked and tested; README.md walks through it. */

import { dirRule, rule } from "@clibs/cli/lmake";

// Lets a job depend on a folder: `include/...` is made when it is needed.
dirRule();

rule({
  name: "Version",
  target: "gen/version.h",
  dep: "version.txt",
  cmd: `read version; echo "#define CALC_VERSION \\"$version\\""`,
});

rule({
  name: "CompileC",
  targets: { OBJ: "{F:.+}.o" },
  deps: { SRC: "{F}.c" },
  vars: { flags: ["-std=c11", "-O1", "-Wall"] },
  cmd: async (j) => {
    await j.lmake.runCc(
      "gcc",
      ...j.vars.flags,
      "-Iinclude",
      "-Igen",
      "-c",
      "-o",
      j.OBJ,
      j.SRC,
    );
  },
});

rule({
  name: "CompileCxx",
  targets: { OBJ: "{F:.+}.o" },
  deps: { SRC: "{F}.cc" },
  vars: { flags: ["-std=c++17", "-O1", "-Wall"] },
  cmd: async (j) => {
    await j.lmake.runCc(
      "g++",
      ...j.vars.flags,
      "-Iinclude",
      "-Igen",
      "-c",
      "-o",
      j.OBJ,
      j.SRC,
    );
  },
});

// The objects of a program: that of its main unit, and those of the units
// whose headers they include. A unit that is looked for in vain is a dep too,
// so that the list changes when somebody writes it.
rule({
  name: "Objects",
  target: "bin/{P:\\w+}.objects",
  deps: { MAIN: "src/{P}.c" },
  cmd: async (j) => {
    const read = async (name: string) => {
      try {
        return await Deno.readTextFile(name);
      } catch {
        return undefined;
      }
    };
    const units = new Map<string, string>();
    const add = async (base: string) => {
      if (units.has(base)) return;
      const text = await read(`${base}.c`) ?? await read(`${base}.cc`);
      if (text === undefined) return;
      units.set(base, text);
      for (const [, name] of text.matchAll(/^#include "(\w+)\.h"$/gm)) {
        await add(`src/${name}`);
      }
    };
    await add(j.MAIN.replace(/\.c$/, ""));
    for (const base of units.keys()) console.log(`${base}.o`);
  },
});

rule({
  name: "Link",
  targets: { EXE: "bin/{P:\\w+}" },
  // Critical: with another list, the objects of the last one may not matter.
  deps: { LIST: ["bin/{P}.objects", "critical"] },
  cmd: async (j) => {
    const objects = (await Deno.readTextFile(j.LIST)).trim().split("\n");
    // All at once, instead of one after the other as the linker opens them.
    await j.lmake.depend(objects, { read: true });
    await j.lmake.runCc("g++", "-o", j.EXE, ...objects);
  },
});

// One file per test, so that an edit of one test runs that test alone.
rule({
  name: "Scatter",
  targets: { TEST: "tests/{T*:\\w+}.test" },
  deps: { LIST: "tests.txt" },
  cmd: async (j) => {
    const list = await Deno.readTextFile(j.LIST);
    for (
      const [, name, text, value] of list.matchAll(/^(\w+): (.*) = (.*)$/gm)
    ) {
      if (name) await Deno.writeTextFile(j.TEST(name), `${text}\n${value}\n`);
    }
  },
});

rule({
  name: "Test",
  target: "tests/{T:\\w+}.result",
  dep: "tests/{T}.test",
  deps: { CALC: "bin/calc" },
  cmd: `
    read -r text; read -r expected
    actual=$({CALC} "$text")
    if [ "$actual" = "$expected" ]
    then echo "{T}: passed"
    else echo "{T}: failed, $text is $actual instead of $expected"
    fi
  `,
});

rule({
  name: "Report",
  target: "report.txt",
  deps: { LIST: ["tests.txt", "critical"] },
  cmd: `
    results=$(sed -n 's|^\\([a-z]*\\): .*|tests/\\1.result|p' {LIST})
    ldepend -R $results
    cat $results
    echo "$(cat $results | grep -c ': passed$') passed"
  `,
});
