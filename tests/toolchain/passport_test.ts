import { deepEqual, equal, ok } from "node:assert/strict";
import {
  cpuFeaturesOfInfo,
  cpuFeaturesOfMacros,
} from "../../lib/toolchain/cpu.ts";
import { readElf } from "../../lib/toolchain/elf.ts";
import { hostAbi } from "../../lib/toolchain/host_abi.ts";
import {
  compareVersions,
  type HostAbi,
  type Passport,
  passportOf,
  unmetNeeds,
} from "../../lib/toolchain/passport.ts";
import { run } from "../support/engines.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

const SOURCE = `#include <string>
extern "C" int length(const char *text) {
  return (int)std::string(text).size();
}
`;

function compile(...flags: string[]): Uint8Array {
  using dir = new TempDir();
  dir.write({ "a.cpp": SOURCE });
  const all = ["-shared", "-fPIC", ...flags, "-o", "a.so", "a.cpp"];
  run("g++", all, dir.path);
  return Deno.readFileSync(dir.join("a.so"));
}

Deno.test("passportOf() takes down what a library needs", () => {
  const passport = passportOf(readElf(compile()), ["avx2"]);
  equal(passport.machine, "x86_64");
  equal(passport.libc, "glibc");
  deepEqual(passport.needed.slice(0, 1), ["libstdc++.so.6"]);
  ok(compareVersions(passport.glibc ?? "", "2.2.5") >= 0);
  ok(compareVersions(passport.glibcxx ?? "", "3.4") >= 0);
  ok(compareVersions(passport.cxxabi ?? "", "1.3") >= 0);
  deepEqual(passport.cpu, ["avx2"]);
  deepEqual(unmetNeeds({ ...passport, cpu: [] }, hostAbi()), []);
  // It survives being written to a manifest.
  deepEqual(JSON.parse(JSON.stringify(passport)), passport);
});

Deno.test("compareVersions() compares numbers", () => {
  const sorted = ["2.9", "2.34", "2.2.5", "2.34.1", "10"]
    .sort(compareVersions);
  deepEqual(sorted, ["2.2.5", "2.9", "2.34", "2.34.1", "10"]);
});

const HOST: HostAbi = {
  machine: "x86_64",
  bits: 64,
  libc: "glibc",
  findLibrary: (name) =>
    name === "libc.so.6" || name === "libstdc++.so.6" ? name : undefined,
  versionsOf: (path) =>
    new Set(
      path === "libc.so.6"
        ? ["GLIBC_2.2.5", "GLIBC_2.9", "GLIBC_2.36", "GLIBC_PRIVATE"]
        : ["GLIBCXX_3.4", "GLIBCXX_3.4.30", "CXXABI_1.3"],
    ),
  cpuFeatures: () => new Set(["avx", "avx2"]),
};

const NONE: Passport = {
  machine: "x86_64",
  bits: 64,
  libc: "glibc",
  needed: ["libc.so.6"],
  runpath: [],
  symbols: [],
  cpu: [],
};

const unmet: [string, Partial<Passport>, string[]][] = [
  ["nothing", { symbols: [{ file: "libc.so.6", version: "GLIBC_2.9" }] }, []],
  ["another processor", { machine: "aarch64" }, [
    "built for aarch64 (64 bits), this machine is x86_64",
  ]],
  ["32 bits", { bits: 32 }, [
    "built for x86_64 (32 bits), this machine is x86_64",
  ]],
  ["musl", { libc: "musl" }, ["built for musl, this machine has glibc"]],
  ["a newer glibc", {
    symbols: [
      { file: "libc.so.6", version: "GLIBC_2.38" },
      { file: "libc.so.6", version: "GLIBC_2.40" },
      { file: "libc.so.6", version: "GLIBC_2.2.5" },
    ],
  }, ["needs GLIBC_2.40 of libc.so.6, this machine has up to GLIBC_2.36"]],
  ["a newer libstdc++", {
    needed: ["libstdc++.so.6", "libc.so.6"],
    symbols: [
      { file: "libstdc++.so.6", version: "CXXABI_1.3.15" },
      { file: "libstdc++.so.6", version: "GLIBCXX_3.4.32" },
    ],
  }, [
    "needs CXXABI_1.3.15 of libstdc++.so.6, this machine has up to CXXABI_1.3",
    "needs GLIBCXX_3.4.32 of libstdc++.so.6, this machine has up to GLIBCXX_3.4.30",
  ]],
  ["an absent library", { needed: ["libnvidia-ml.so.1", "libc.so.6"] }, [
    "needs libnvidia-ml.so.1, which is not on this machine",
  ]],
  ["a version nobody has", {
    symbols: [{ file: "libc.so.6", version: "OTHER_1" }],
  }, ["needs OTHER_1 of libc.so.6, this machine has no such version"]],
  ["a processor's feature", { cpu: ["avx2", "avx512f"] }, [
    "needs the processor feature avx512f, which this machine lacks",
  ]],
];

Deno.test("unmetNeeds() says exactly what is missing", async (t) => {
  for (const [name, part, sentences] of unmet) {
    await t.step(
      name,
      () => deepEqual(unmetNeeds({ ...NONE, ...part }, HOST), sentences),
    );
  }
});

Deno.test("cpuFeaturesOfMacros() names what a compile relied on", () => {
  using dir = new TempDir();
  const of = (...flags: string[]) =>
    cpuFeaturesOfMacros(
      run("g++", [...flags, "-dM", "-E", "-x", "c++", "/dev/null"], dir.path),
    );
  deepEqual(of(), []);
  const haswell = of("-march=haswell");
  for (const name of ["avx2", "bmi1", "bmi2", "fma", "pni", "abm", "popcnt"]) {
    ok(haswell.includes(name), `${name} in ${haswell}`);
  }
  ok(of("-mavx512f").includes("avx512f"));
  const info = "processor: 0\nflags\t\t: fpu avx2\nprocessor: 1\nflags: x\n";
  deepEqual([...cpuFeaturesOfInfo(info)], ["fpu", "avx2"]);
  deepEqual([...cpuFeaturesOfInfo("")], []);
});

Deno.test({
  name: "a library for another processor is told by its needs",
  ignore: !has("aarch64-linux-gnu-g++"),
  fn() {
    using dir = new TempDir();
    dir.write({ "a.cpp": SOURCE });
    const args = ["-shared", "-fPIC", "-o", "a.so", "a.cpp"];
    run("aarch64-linux-gnu-g++", args, dir.path);
    const elf = readElf(Deno.readFileSync(dir.join("a.so")));
    equal(elf.machine, "aarch64");
    deepEqual(unmetNeeds(passportOf(elf), hostAbi()), [
      "built for aarch64 (64 bits), this machine is x86_64",
    ]);
  },
});

/** What is told of versions needed of libx, on a machine whose libx has others. */
function told(needs: readonly string[], present: readonly string[]): string[] {
  const host: HostAbi = {
    ...HOST,
    findLibrary: (name) => name,
    versionsOf: () => new Set(present),
  };
  const symbols = needs.map((version) => ({ file: "libx.so.1", version }));
  return unmetNeeds({ ...NONE, needed: ["libx.so.1"], symbols }, host);
}

const versions: [string, string[], string[], string[]][] = [
  [
    "a name without a number hides no number",
    [
      "CXXABI_1.3.15",
      "CXXABI_1.3.9",
      "CXXABI_FLOAT128",
    ],
    ["CXXABI_1.3.8"],
    [
      "needs CXXABI_FLOAT128 of libx.so.1, this machine has no such version",
      "needs CXXABI_1.3.15 of libx.so.1, this machine has up to CXXABI_1.3.8",
    ],
  ],
  ["numbers count, not letters", ["GLIBC_2.9", "GLIBC_2.38"], ["GLIBC_2.4"], [
    "needs GLIBC_2.38 of libx.so.1, this machine has up to GLIBC_2.4",
  ]],
  ["a mark of the loader", ["GLIBC_ABI_DT_RELR"], ["GLIBC_2.36"], [
    "needs GLIBC_ABI_DT_RELR of libx.so.1, this machine has no such version",
  ]],
  ["a library built without versions is taken", ["CURL_4"], [], []],
];

Deno.test("unmetNeeds() compares versions of a kind", async (t) => {
  for (const [name, needs, present, sentences] of versions) {
    await t.step(name, () => deepEqual(told(needs, present), sentences));
  }
});

Deno.test("passportOf() tells a program from a module, and the C library", () => {
  using dir = new TempDir();
  dir.write({ "a.cpp": "int main() {}\n" });
  run("g++", ["-o", "a", "a.cpp"], dir.path);
  const program = passportOf(readElf(Deno.readFileSync(dir.join("a"))));
  ok(program.interpreter?.startsWith("/lib"), program.interpreter);
  equal(program.libc, "glibc");
  run("g++", ["-shared", "-nostdlib", "-o", "a.so", "a.cpp"], dir.path);
  const bare = passportOf(readElf(Deno.readFileSync(dir.join("a.so"))));
  equal(bare.libc, "unknown");
  deepEqual([bare.needed, bare.symbols, bare.interpreter], [[], [], undefined]);
});

/** Compiles an empty library. */
function library(dir: TempDir, path: string, compiler = "g++"): void {
  dir.write({ "empty.cpp": "" });
  Deno.mkdirSync(dir.join(path, ".."), { recursive: true });
  const args = ["-shared", "-fPIC", "-nostdlib", "-o", path, "empty.cpp"];
  run(compiler, args, dir.path);
}

Deno.test("findLibrary() looks where the loader looks", async (t) => {
  using dir = new TempDir();
  dir.write({
    "ld.so.conf": "# folders\ninclude conf.d/*.conf extra.conf\n",
    "conf.d/b.conf": `${dir.join("b")}\ninclude ${dir.join("ld.so.conf")}\n`,
    "conf.d/a.conf": `${dir.join("a")} # first\n`,
    "conf.d/unread.txt": `${dir.join("c")}\n`,
    "extra.conf": `${dir.join("d")}\n`,
    "a/libtext.so": "INPUT(libq.so.1)\n",
  });
  for (const path of ["a/libq.so.1", "b/libq.so.1", "b/libtext.so"]) {
    library(dir, path);
  }
  for (const path of ["c/libc1.so", "d/libd1.so"]) library(dir, path);
  Deno.symlinkSync("nowhere", dir.join("a/libgone.so"));
  const host = hostAbi(() => undefined, dir.join("ld.so.conf"));
  const cases: [string, string, string | undefined][] = [
    ["the first folder of relative includes", "libq.so.1", "a/libq.so.1"],
    ["past what is no library", "libtext.so", "b/libtext.so"],
    ["a second pattern", "libd1.so", "d/libd1.so"],
    ["not what no pattern names", "libc1.so", undefined],
    ["not a link to nowhere", "libgone.so", undefined],
  ];
  for (const [name, wanted, path] of cases) {
    await t.step(name, () => {
      const found = host.findLibrary(wanted, []);
      equal(found, path === undefined ? undefined : dir.join(path));
    });
  }
  await t.step("LD_LIBRARY_PATH before the configuration", () => {
    const with_ = hostAbi(() => `/no:${dir.join("b")}`, dir.join("ld.so.conf"));
    equal(with_.findLibrary("libq.so.1", []), dir.join("b/libq.so.1"));
    equal(
      with_.findLibrary("libq.so.1", [dir.join("a")]),
      dir.join("a/libq.so.1"),
    );
  });
  await t.step("the usual folders without a configuration", () => {
    const bare = hostAbi(() => undefined, dir.join("absent.conf"));
    ok(bare.findLibrary("libc.so.6", []));
    equal(bare.findLibrary("libq.so.1", []), undefined);
  });
});

Deno.test({
  name: "findLibrary() passes by libraries of other processors",
  ignore: Deno.build.arch !== "x86_64" || !has("aarch64-linux-gnu-g++"),
  fn() {
    using dir = new TempDir();
    library(dir, "other/libq.so.1", "aarch64-linux-gnu-g++");
    library(dir, "own/libq.so.1");
    const both = `${dir.join("other")}:${dir.join("own")}`;
    equal(
      hostAbi(() => both).findLibrary("libq.so.1", []),
      dir.join("own/libq.so.1"),
    );
    equal(
      hostAbi(() => dir.join("other")).findLibrary("libq.so.1", []),
      undefined,
    );
  },
});

Deno.test("versionsOf() and cpuFeatures() tell what is really there", () => {
  using dir = new TempDir();
  const host = hostAbi();
  const libc = host.findLibrary("libc.so.6", []) ?? "";
  ok(host.versionsOf(libc).has("GLIBC_2.17"));
  // The loader tells what is wrong with these, when it meets them.
  dir.write({ "text.so": "no library" });
  equal(host.versionsOf(dir.join("text.so")).size, 0);
  equal(host.versionsOf(dir.join("absent.so")).size, 0);
  ok(host.cpuFeatures().size > 0);
});
