/** `clibs make` beside ninja and make: C files with headers, trivial jobs. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bash, benchDir, type Contender, medians, report } from "./measure.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const ROUNDS = 5;
/** Sizes; `CLIBS_BENCH_SCALE=10` divides them by ten. */
const SCALE = Number(Deno.env.get("CLIBS_BENCH_SCALE") || 1);
const C_FILES = 1000 / SCALE;
const HEADERS = 100 / SCALE;
/** `CLIBS_BENCH_TRIVIAL=0` leaves trivial jobs out. */
const TRIVIAL = Deno.env.get("CLIBS_BENCH_TRIVIAL") === "0"
  ? []
  : [10_000 / SCALE, 100_000 / SCALE];

/** Runs the benchmark. */
export function benchRules(): void {
  const root = benchDir();
  try {
    benchC(join(root, "c"));
    for (const count of TRIVIAL) benchTrivial(join(root, `t${count}`), count);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function clibs(cwd: string, target: string, server = true): Contender {
  return {
    name: server ? "clibs make" : "clibs make, no server",
    command: [
      Deno.execPath(),
      "run",
      "-A",
      "--quiet",
      "--no-check",
      MAIN,
      "make",
      "-q",
      "-j2",
      target,
    ],
    cwd,
    env: server ? {} : { CLIBS_MAKE_SERVER: "0" },
  };
}

function emptyDeno(dir: string): Contender {
  const path = join(dir, "empty.ts");
  Deno.writeTextFileSync(path, "");
  return {
    name: "empty Deno",
    command: [Deno.execPath(), "run", "--quiet", "--no-check", path],
  };
}

function peers(dir: string): Contender[] {
  return [
    { name: "ninja", command: ["ninja", "-j2"], cwd: join(dir, "ninja") },
    { name: "make", command: ["make", "-sj2"], cwd: join(dir, "make") },
  ];
}

/** C files that include four headers each, and the program of all. */
function benchC(dir: string): void {
  for (const tool of ["clibs", "ninja", "make"]) writeC(join(dir, tool));
  const units = [
    "main",
    ...Array.from({ length: C_FILES }, (_, i) => `f${i}`),
  ];
  const objects = units.map((unit) => `${unit}.o`);
  const link = "gcc -o prog @objects.txt";
  write(dir, {
    "clibs/Manifest": [
      "Lmakefile.ts",
      "objects.txt",
      ...units.map((unit) => `${unit}.c`),
      ...Array.from({ length: HEADERS }, (_, i) => `h${i}.h`),
    ].join("\n"),
    "clibs/objects.txt": objects.join("\n"),
    "clibs/Lmakefile.ts": `
import { rule } from "@clibs/cli/lmake";
rule({ name: "Compile", targets: { OBJ: "{F:.+}.o" }, deps: { SRC: "{F}.c" },
  cmd: "gcc -c -o {OBJ} {SRC}" });
// The first run finds what it needs; from then on it is made first.
rule({ name: "Link", targets: { PROG: "prog" }, deps: { L: "objects.txt" },
  cmd: "${link}" });
`,
    "ninja/objects.txt": objects.join("\n"),
    "make/objects.txt": objects.join("\n"),
    "ninja/build.ninja": `
rule cc
  command = gcc -MMD -MF $out.d -c -o $out $in
  depfile = $out.d
  deps = gcc
rule link
  command = ${link}
${units.map((unit) => `build ${unit}.o: cc ${unit}.c`).join("\n")}
build prog: link ${objects.join(" ")} | objects.txt
default prog
`,
    "make/Makefile": `
prog: ${objects.join(" ")} objects.txt
	${link}
%.o: %.c
	gcc -MMD -c -o $@ $<
-include $(wildcard *.d)
`,
  });
  const all = () => [...peers(dir), clibs(join(dir, "clibs"), "prog")];
  const clean = (contender: Contender): Contender => ({
    ...contender,
    prepare: () => {
      bash(dir, "rm -f */*.o */*.d */prog */.ninja*; rm -rf clibs/LMAKE");
    },
  });
  show(`${C_FILES} x gcc -c: full`, all().map(clean), 1);
  show("no-op", [emptyDeno(dir), ...all()]);
  const each = (script: string) =>
    all().map((contender) => ({
      ...contender,
      prepare: () => void bash(contender.cwd!, `sleep 0.02; ${script}`),
    }));
  show("header touched, same content", each("touch h5.h"));
  show(
    "one leaf .c changed",
    each('echo "int edit_$RANDOM$RANDOM;" >> f1.c'),
  );
  endServers(dir);
}

function writeC(dir: string): void {
  const files: Record<string, string> = {};
  for (let i = 0; i < HEADERS; i++) {
    files[`h${i}.h`] = `#ifndef H${i}\n#define H${i} ${i}\n#endif\n`;
  }
  files["main.c"] = "int f1(void);\nint main(void) { return f1() != 1; }\n";
  for (let i = 0; i < C_FILES; i++) {
    const included = [1, 7, 31, 43].map((step) => (i * step) % HEADERS);
    files[`f${i}.c`] = `${
      [...new Set(included)].map((h) => `#include "h${h}.h"`).join("\n")
    }\nint f${i}(void) { return ${i}; }\n`;
  }
  write(dir, files);
}

/** Jobs that copy a line. */
function benchTrivial(dir: string, count: number): void {
  const names = Array.from(
    { length: count },
    (_, i) => `d${Math.floor(i / 1000)}/f${i}`,
  );
  const files: Record<string, string> = {
    "clibs/all.txt": names.map((name) => `${name}.out`).join("\n"),
    "clibs/Manifest": [
      "Lmakefile.ts",
      "all.txt",
      ...names.map((name) => `${name}.in`),
    ].join("\n"),
    "clibs/Lmakefile.ts": `
import { rule } from "@clibs/cli/lmake";
rule({ name: "Copy", target: "{F:.+}.out", dep: "{F}.in", cmd: "cat" });
rule({ name: "All", target: "all", deps: { L: "all.txt" },
  cmd: "xargs ldepend -R < {L}; echo done" });
`,
    "ninja/build.ninja": `rule c\n  command = cat $in > $out\n${
      names.map((name) => `build ${name}.out: c ${name}.in`).join("\n")
    }\n`,
    "make/Makefile": `all: ${
      names.map((name) => `${name}.out`).join(" ")
    }\n%.out: %.in\n\tcat $< > $@\n`,
  };
  for (const tool of ["clibs", "ninja", "make"]) {
    for (const name of names) files[`${tool}/${name}.in`] = `${name}\n`;
  }
  write(dir, files);
  const all = [...peers(dir), clibs(join(dir, "clibs"), "all")];
  show(`${count} trivial jobs: full`, all, 0);
  show(`no-op of ${count}`, [emptyDeno(dir), ...all], count > 20_000 ? 3 : 5);
  bash(
    dir,
    `sed -i 's/import { rule }/import { lmake, rule }/' clibs/Lmakefile.ts
echo 'lmake.config.watch = true;' >> clibs/Lmakefile.ts`,
  );
  // What is to be watched is taken under watch while nobody asks.
  for (let i = 0; i < 3; i++) {
    once(all.at(-1)!);
    bash(dir, "sleep 1");
  }
  show(`no-op of ${count}, watched`, [emptyDeno(dir), all.at(-1)!]);
  const state = bash(dir, "du -sb clibs/LMAKE | cut -f1").trim();
  console.log(`  state on disk  ${(Number(state) / 1e6).toFixed(1)} MB`);
  const peak = bash(
    dir,
    `grep VmHWM /proc/$(pgrep -f "[s]erve-make $PWD/clibs" | head -1)/status || true`,
  );
  console.log(`  memory of the server, peak  ${peak.replace(/\s+/g, " ")}`);
  endServers(dir);
}

function show(title: string, contenders: Contender[], rounds = ROUNDS): void {
  const times = rounds === 0
    ? contenders.map(once)
    : medians(contenders, rounds);
  report(title, contenders, times);
}

/** Milliseconds of one run; it cannot be run twice. */
function once({ name, command, cwd, env }: Contender): number {
  const [program = "", ...args] = command;
  const started = performance.now();
  const { success } = new Deno.Command(program, {
    args,
    cwd,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
  if (!success) throw new Error(`${name} failed`);
  return performance.now() - started;
}

/** Servers go when their lock is gone; this does not wait for them. */
function endServers(dir: string): void {
  Deno.removeSync(join(dir, "clibs/LMAKE"), { recursive: true });
}

function write(dir: string, files: Record<string, string>): void {
  const made = new Set<string>();
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name);
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) {
      Deno.mkdirSync(folder, { recursive: true });
      made.add(folder);
    }
    Deno.writeTextFileSync(path, text);
  }
}
