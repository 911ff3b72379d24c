import { deepEqual, equal, ok, throws } from "node:assert/strict";
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
#include <cstdio>
extern "C" int length(const char *text) {
  std::string copy(text);
  printf("%s", copy.c_str());
  return (int)copy.size();
}
__attribute__((visibility("hidden"))) int hidden() { return 1; }
`;

function compile(...flags: string[]): Uint8Array {
  using dir = new TempDir();
  dir.write({ "a.cpp": SOURCE });
  const all = ["-shared", "-fPIC", ...flags, "-o", "a.so", "a.cpp"];
  run("g++", all, dir.path);
  return Deno.readFileSync(dir.join("a.so"));
}

Deno.test("readElf() tells what readelf tells", async (t) => {
  using dir = new TempDir();
  const own = compile("-Wl,-soname,liba.so.1", "-Wl,-rpath,/opt/x:$ORIGIN");
  Deno.writeFileSync(dir.join("own.so"), own);
  const files = [
    dir.join("own.so"),
    ...["libstdc++.so.6", "libc.so.6", "libm.so.6"]
      .map((name) => hostAbi().findLibrary(name, []) ?? ""),
    Deno.execPath(),
  ];
  for (const path of files) {
    await t.step(path.replace(dir.path, "DIR"), () => {
      const elf = readElf(Deno.readFileSync(path));
      const text = run("readelf", ["-W", "-d", path], dir.path);
      const all = (label: string) =>
        [...text.matchAll(new RegExp(`\\(${label}\\).*\\[(.*)\\]`, "g"))]
          .map(([, value]) => value);
      deepEqual(elf.needed, all("NEEDED"));
      equal(elf.soname, all("SONAME")[0]);
      deepEqual(elf.runpath.join(":"), all("RUNPATH").join(":"));
      const versions = run("readelf", ["-W", "-V", path], dir.path);
      const names = (part: string) =>
        [...(versions.split(/^Version /m)
          .find((block) => block.startsWith(part)) ?? "")
          .matchAll(/Name: (\S+)/g)].map(([, name]) => name);
      deepEqual(
        elf.versionNeeds.map(({ version }) => version),
        names("needs section"),
      );
      // The first definition is the library's own name.
      deepEqual(
        elf.versionDefinitions,
        names("definition section").slice(1)
          .filter((name) => name !== elf.soname),
      );
      const symbols = run("nm", ["-D", "--defined-only", path], dir.path)
        .split("\n").filter((line) => / [TWVDBRui] /.test(line)).length;
      ok(Math.abs(elf.exports.length - symbols) <= symbols * 0.02 + 20);
    });
  }
  const elf = readElf(own);
  deepEqual(
    [elf.machine, elf.bits, elf.type, elf.soname, elf.runpath],
    ["x86_64", 64, "shared", "liba.so.1", ["/opt/x", "$ORIGIN"]],
  );
  ok(elf.exports.includes("length"));
  ok(!elf.exports.includes("_Z6hiddenv"));
  ok(elf.imports.includes("printf"));
  equal(elf.section(".no"), undefined);
  ok((elf.section(".text")?.length ?? 0) > 10);
});

Deno.test("readElf() needs no section headers", () => {
  const bytes = compile("-s");
  const before = readElf(bytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(40, 0n, true);
  view.setUint16(60, 0, true);
  const after = readElf(bytes);
  deepEqual(after.needed, before.needed);
  deepEqual(after.exports, before.exports);
  deepEqual(after.versionNeeds, before.versionNeeds);
  equal(after.section(".text"), undefined);
});

Deno.test("readElf() reads packed sections", () => {
  const plain = readElf(compile("-g")).section(".debug_abbrev");
  deepEqual(readElf(compile("-g", "-gz")).section(".debug_abbrev"), plain);
});

Deno.test("readElf() refuses damaged files, and never hangs", () => {
  const whole = compile();
  const survives = (bytes: Uint8Array) => {
    try {
      const elf = readElf(bytes);
      for (const name of [".text", ".debug_info"]) elf.section(name);
    } catch (error) {
      ok(error instanceof SyntaxError, String((error as Error).stack));
    }
  };
  for (let cut = 0; cut < whole.length; cut += 7) survives(whole.slice(0, cut));
  let state = 99;
  const random = (limit: number) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state % limit;
  };
  for (let round = 0; round < 2000; round++) {
    const bytes = whole.slice();
    for (let count = 0; count < 8; count++) {
      // Headers and tables are in front.
      bytes[random(Math.min(bytes.length, 4096))] = random(256);
    }
    survives(bytes);
  }
  throws(() => readElf(new TextEncoder().encode("#!/bin/sh\n")), {
    name: "SyntaxError",
    message: "not an ELF file",
  });
});

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
