import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { readElf, readElfHeader } from "../../lib/toolchain/elf.ts";
import { hostAbi } from "../../lib/toolchain/host_abi.ts";
import { run } from "../support/engines.ts";
import { TempDir } from "../support/temp.ts";

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

Deno.test("readElf() finds the imports of a library without exports", async (t) => {
  for (const style of ["gnu", "sysv", "both"]) {
    await t.step(style, () => {
      using dir = new TempDir();
      dir.write({
        "a.cpp": 'extern "C" int one(), two();\n' +
          "static int sum = one() + two();\n",
      });
      const flags = ["-shared", "-fPIC", "-nostdlib"];
      const style_ = `-Wl,--hash-style=${style}`;
      run("g++", [...flags, style_, "-o", "a.so", "a.cpp"], dir.path);
      const elf = readElf(Deno.readFileSync(dir.join("a.so")));
      deepEqual([elf.imports.toSorted(), elf.exports], [["one", "two"], []]);
      deepEqual(elf.needed, []);
    });
  }
});

interface Small {
  wide: boolean;
  little: boolean;
  machine: number;
  /** Table of names; the first ones are needed and imported. */
  names: string;
  symbols: number;
}

/** A library of headers and a dynamic part only, written by hand. */
function small({ wide, little, machine, names, symbols }: Small): Uint8Array {
  const [word, entry] = wide ? [8, 24] : [4, 16];
  const [table, dynamic, strings] = [64, 512, 1024];
  const hash = strings + names.length + 1;
  const symbolTable = hash + 8;
  const bytes = new Uint8Array(symbolTable + symbols * entry);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, little);
  const u32 = (at: number, value: number) => view.setUint32(at, value, little);
  const put = (at: number, value: number) =>
    wide ? view.setBigUint64(at, BigInt(value), little) : u32(at, value);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  u16(16, 3);
  u16(18, machine);
  put(wide ? 32 : 28, table);
  const size = wide ? 56 : 32;
  u16(wide ? 54 : 42, size);
  u16(wide ? 56 : 44, 2);
  const segments = [[1, 0, bytes.length], [2, dynamic, 10 * word]] as const;
  segments.forEach(([type, offset, length], index) => {
    const at = table + index * size;
    u32(at, type);
    put(at + word, offset);
    put(at + 2 * word, offset);
    put(at + 4 * word, length);
  });
  const entries = [[1, 0], [5, strings], [4, hash], [6, symbolTable]] as const;
  entries.forEach(([tag, value], index) => {
    put(dynamic + index * 2 * word, tag);
    put(dynamic + index * 2 * word + word, value);
  });
  bytes.set(new TextEncoder().encode(names), strings);
  u32(hash + 4, symbols);
  for (let index = 1; index < symbols; index++) {
    bytes[symbolTable + index * entry + (wide ? 4 : 12)] = 0x10;
  }
  return bytes;
}

Deno.test("readElf() reads either width and byte order", async (t) => {
  const kinds: [boolean, boolean, number, string][] = [
    [false, false, 8, "mips"],
    [false, true, 3, "i386"],
    [true, false, 22, "s390x"],
    [true, true, 243, "riscv64"],
    [false, true, 243, "riscv32"],
    [true, true, 9999, "machine 9999"],
  ];
  for (const [wide, little, machine, name] of kinds) {
    await t.step(`${name}, ${wide ? 64 : 32} bits`, () => {
      const names = "libx.so";
      const bytes = small({ wide, little, machine, names, symbols: 2 });
      const elf = readElf(bytes);
      const header = {
        machine: name,
        bits: wide ? 64 : 32,
        littleEndian: little,
      };
      deepEqual(readElfHeader(bytes.subarray(0, 20)), header);
      const { machine: read, bits, littleEndian } = elf;
      deepEqual({ machine: read, bits, littleEndian }, header);
      deepEqual([elf.needed, elf.imports], [[names], [names]]);
    });
  }
});

Deno.test("readElf() refuses names that would fill the memory", () => {
  const bytes = small({
    wide: true,
    little: true,
    machine: 62,
    names: "a".repeat(4_000_000),
    symbols: 100_000,
  });
  throws(() => readElf(bytes), {
    name: "SyntaxError",
    message: "its names are too long",
  });
});

Deno.test("readElf() says what is wrong with a file", async (t) => {
  const good = { wide: true, little: true, machine: 62, names: "x" };
  const edited = (edit: (view: DataView) => void) => {
    const bytes = small({ ...good, symbols: 2 });
    edit(new DataView(bytes.buffer));
    return bytes;
  };
  const cases: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(), "not an ELF file"],
    [
      "the magic number only",
      edited(() => {}).subarray(0, 4),
      "cut off: a number lies outside the file",
    ],
    [
      "an unknown class",
      edited((view) => view.setUint8(4, 3)),
      "an ELF file of an unknown class",
    ],
    [
      "a dynamic section of 4 GB",
      edited((view) => view.setBigUint64(64 + 56 + 32, 1n << 32n, true)),
      "cut off: the dynamic section lies outside the file",
    ],
    [
      "four milliards of symbols",
      edited((view) => view.setUint32(1024 + 2 + 4, 0xffffffff, true)),
      "cut off: the symbol table lies outside the file",
    ],
    [
      "a table of names nowhere",
      edited((view) => view.setBigUint64(512 + 24, 1n << 40n, true)),
      "an address lies outside its segments",
    ],
    [
      "no table of names",
      edited((view) => view.setBigUint64(512 + 16, 99n, true)),
      "its dynamic section names no table of names",
    ],
  ];
  for (const [name, bytes, message] of cases) {
    await t.step(
      name,
      () => throws(() => readElf(bytes), { name: "SyntaxError", message }),
    );
  }
});
