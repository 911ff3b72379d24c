/** Lua and zlib, built by rules and edited at random. */

import assert from "node:assert/strict";
import { Random } from "../../support/seeded.ts";
import { LmakeRepo } from "../../support/lmake.ts";
import {
  objectOf,
  type Products,
  type Project,
  Sources,
} from "../../support/lmake_project.ts";
import { TempDir } from "../../support/temp.ts";
import { has } from "../../support/tools.ts";
import { unpack, upstream } from "../../support/upstream.ts";

const EDITS = 20;

interface RealProject {
  /** Its source package. */
  name: string;
  /** Which files of it are sources. */
  sources: RegExp;
  /** Which of these are compiled into the library. */
  library: (unit: string) => boolean;
  /** The unit of the program. */
  main: string;
  flags: string[];
  rules: string;
  /** What the program prints when it is run. */
  says: [args: string[], output: RegExp];
}

const PROJECTS: RealProject[] = [{
  name: "lua5.4",
  sources: /^src\/\w+\.[ch]$/,
  library: (unit) => !/\/luac?\.c$/.test(unit),
  main: "src/lua.c",
  flags: ["-O0", "-std=gnu99", "-DLUA_USE_POSIX"],
  says: [["-e", "print(6 * 7)"], /^42$/m],
  rules: String.raw`
rule({
  name: "Compile",
  targets: { OBJ: "{F:.+}.o" },
  deps: { SRC: "{F}.c" },
  vars: ["-O0", "-std=gnu99", "-DLUA_USE_POSIX"],
  cmd: async (j) => {
    await j.lmake.runCc("gcc", ...j.vars, "-c", "-o", j.OBJ, j.SRC);
  },
});
rule({
  name: "Archive",
  targets: { LIB: "lib.a" },
  deps: { LIST: "objects.txt" },
  cmd: "ldepend -R $(cat {LIST}); ar rcD {LIB} $(cat {LIST})",
});
rule({
  name: "Link",
  targets: { EXE: "program" },
  deps: { OBJ: "src/lua.o", LIB: "lib.a" },
  cmd: "gcc -o {EXE} {OBJ} {LIB} -lm",
});
`,
}, {
  name: "zlib",
  sources: /^(\w+\.[ch]|test\/example\.c)$/,
  library: (unit) => !unit.startsWith("test/"),
  main: "test/example.c",
  flags: ["-O0", "-D_LARGEFILE64_SOURCE=1", "-DHAVE_HIDDEN", "-I."],
  says: [["scratch.gz"], /^uncompress\(\): hello, hello!$/m],
  rules: String.raw`
dirRule();
rule({
  name: "Compile",
  targets: { OBJ: "{F:.+}.o" },
  deps: { SRC: "{F}.c" },
  cmd: "lrun_cc gcc -O0 -D_LARGEFILE64_SOURCE=1 -DHAVE_HIDDEN -I. -c -o {OBJ} {SRC}",
});
rule({
  name: "Archive",
  targets: { LIB: "lib.a" },
  deps: { LIST: "objects.txt" },
  cmd: "ldepend -R $(cat {LIST}); ar rcD {LIB} $(cat {LIST})",
});
rule({
  name: "Link",
  targets: { EXE: "program" },
  deps: { OBJ: "test/example.o", LIB: "lib.a" },
  cmd: "lrun_cc gcc -o {EXE} {OBJ} {LIB}",
});
`,
}];

for (const real of PROJECTS) {
  Deno.test({
    name: `${real.name}: correct after ${EDITS} random edits`,
    ignore: Deno.build.os !== "linux" || !has("gcc") || !has("apt-get"),
    async fn() {
      using repo = new LmakeRepo();
      const project = await load(repo, real);
      const sources = new Sources(repo, project);
      const random = new Random(project.units.length);

      await repo.make("program", {
        rules: { Compile: project.units.length, Archive: 1, Link: 1 },
      });
      let before = await sources.clean();
      same(sources.built(), before, "first build");
      check(repo, real.says);
      await repo.make("program");

      for (let n = 1; n <= EDITS; n++) {
        const { file, how } = sources.edit(random);
        const after = how === "touch" ? before : await sources.clean();
        const changed = (name: string) => before.get(name) !== after.get(name);
        const compiled = how === "touch" ? [] : await sources.includers(file);
        const archived = changed("lib.a");
        const linked = archived || changed(objectOf(real.main));
        const done = compiled.filter((unit) => changed(objectOf(unit)));
        await repo.make("program", {
          ran: [
            ...compiled.map((unit) => `Compile ${objectOf(unit)}`),
            ...archived ? ["Archive lib.a"] : [],
            ...linked ? ["Link program"] : [],
          ],
          words: {
            // Linking may drop what changed.
            done: [done.length + Number(archived), 99],
            steady: [compiled.length - done.length, 99],
            again: [0, 99],
          },
        });
        same(sources.built(), after, `edit ${n}: ${how} of ${file}`);
        before = after;
      }

      const unit = random.pick(project.units);
      const text = sources.text(unit);
      const ran = [`Compile ${objectOf(unit)}`];
      sources.write(unit, `${text}#error broken\n`);
      await repo.make("program", { exit: 1, words: { failed: 1 }, ran });
      sources.write(unit, text);
      await repo.make("program", { ran });
      same(sources.built(), before, "mended");
      check(repo, real.says);
    },
  });
}

/** Copies the sources into the repo, with its rules. */
async function load(repo: LmakeRepo, real: RealProject): Promise<Project> {
  const tarball = await upstream(real.name);
  using dir = new TempDir();
  unpack(tarball.path, dir.path);
  const files = await listFiles(dir.path, real.sources);
  for (const name of files) repo.source({ [name]: dir.read(name) });
  const library = files.filter((name) =>
    name.endsWith(".c") && real.library(name)
  );
  const objects = library.map(objectOf);
  repo.source({ "objects.txt": objects.join("\n") + "\n" });
  repo.rules(real.rules);
  return {
    files,
    units: [...library, real.main],
    flags: real.flags,
    link: `ar rcD lib.a ${objects.join(" ")}; gcc -o program ${
      objectOf(real.main)
    } lib.a -lm`,
    products: ["lib.a", "program"],
  };
}

async function listFiles(dir: string, sources: RegExp): Promise<string[]> {
  const { stdout } = await new Deno.Command("find", {
    args: [dir, "-type", "f", "-printf", "%P\\n"],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((name) =>
    sources.test(name)
  ).sort();
}

function same(actual: Products, expected: Products, when: string): void {
  const differing = [...expected].filter(([name, text]) =>
    actual.get(name) !== text
  );
  assert.deepEqual(differing.map(([name]) => name), [], when);
}

function check(repo: LmakeRepo, [args, output]: RealProject["says"]): void {
  const { stdout } = new Deno.Command(repo.path("program"), {
    args,
    cwd: repo.ext.path,
  }).outputSync();
  assert.match(new TextDecoder().decode(stdout), output);
}
