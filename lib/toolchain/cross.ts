/** Finds the compilers of other targets. */

import { ClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import { nearest } from "../host/nearest.ts";
import { findProgram } from "../host/process.ts";
import { printable } from "./printable.ts";
import { equivalentNames, hostTriple, type TargetTriple } from "./triple.ts";

/** Programs and flags for one target. */
export interface CrossTools {
  /** C compiler: program and arguments. */
  cc: string[];
  /** C++ compiler: program and arguments. */
  cxx: string[];
  /** Other programs, by the variable that names them: `AR`, `RANLIB`, `STRIP`. */
  programs: Record<string, string>;
  /** Flags that compiling for the target needs. */
  cflags: string[];
  /** Flags that linking for the target needs. */
  ldflags: string[];
  /** Folders below which the target's own libraries and headers are. */
  roots: string[];
  /** Folders of the target's own `.pc` files. */
  pkgConfig: string[];
  /** Runs programs of the target on this machine, if there is such a program. */
  emulator?: string[];
}

/** Reads a variable of the caller's environment. */
type Env = (name: string) => string | undefined;

/** Targets for which Debian has a compiler `gcc-<name>`. */
const DEBIAN_TARGETS = [
  "aarch64-linux-gnu",
  "alpha-linux-gnu",
  "arm-linux-gnueabi",
  "arm-linux-gnueabihf",
  "hppa-linux-gnu",
  "i686-linux-gnu",
  "m68k-linux-gnu",
  "mips-linux-gnu",
  "mips64el-linux-gnuabi64",
  "mipsel-linux-gnu",
  "powerpc-linux-gnu",
  "powerpc64-linux-gnu",
  "powerpc64le-linux-gnu",
  "riscv64-linux-gnu",
  "s390x-linux-gnu",
  "sh4-linux-gnu",
  "sparc64-linux-gnu",
  "x86_64-linux-gnu",
];

const WASI_PACKAGES = "clang lld wasi-libc libclang-rt-dev-wasm32";

/**
 * Finds the compilers for a target.
 *
 * @throws {ClibsError} `CLIBS_TOOLCHAIN_MISSING` if there are none.
 */
export function findCross(triple: TargetTriple, env: Env): CrossTools {
  return triple.os === "wasi" ? wasi(triple, env) : prefixed(triple, env);
}

/** GCC and binutils under names with the target as prefix. */
function prefixed(triple: TargetTriple, env: Env): CrossTools {
  const path = env("PATH");
  const prefixes = [triple.text, ...equivalentNames(triple.text)]
    .filter((name) => name.includes("-"));
  const prefix = prefixes.find((name) => findProgram(`${name}-gcc`, path));
  if (prefix === undefined) throw missing(triple, prefixes[0] ?? triple.text);
  if (!findProgram(`${prefix}-g++`, path)) {
    throw missing(triple, prefix, "g++");
  }
  const programs: Record<string, string> = {};
  for (const tool of ["ar", "ranlib", "strip", "nm", "ld", "objcopy"]) {
    const program = `${prefix}-${tool}`;
    if (findProgram(program, path)) programs[tool.toUpperCase()] = program;
  }
  const root = `/usr/${prefix}`;
  const emulator = findProgram(`qemu-${triple.arch}`, path);
  return {
    cc: [`${prefix}-gcc`],
    cxx: [`${prefix}-g++`],
    programs,
    cflags: [],
    ldflags: [],
    roots: [root, `/usr/lib/${prefix}`],
    pkgConfig: [`/usr/lib/${prefix}/pkgconfig`, `${root}/lib/pkgconfig`],
    ...(emulator ? { emulator: [emulator, "-L", root] } : {}),
  };
}

/** clang with wasi-libc: a WASI SDK if one is named, else Debian's packages. */
function wasi(triple: TargetTriple, env: Env): CrossTools {
  const sdk = env("WASI_SDK_PATH");
  const path = sdk ? `${sdk}/bin` : env("PATH");
  const sysroot = sdk ? `${sdk}/share/wasi-sysroot` : "/usr";
  const header = sdk
    ? `${sysroot}/include`
    : "/usr/include/wasm32-wasi/stdio.h";
  const clang = findProgram("clang", path);
  const linker = findProgram("wasm-ld", path);
  if (!clang || !linker || !lstatIfExists(header)) {
    const lacks = !clang ? "clang" : !linker ? "wasm-ld" : "wasi-libc";
    throw new ClibsError(
      "CLIBS_TOOLCHAIN_MISSING",
      `Cannot build for ${triple.text}: ${lacks} is not here`,
      {
        facts: {
          target: triple.text,
          "looked for": sdk ?? "Debian's packages",
        },
        hint: sdk
          ? "set WASI_SDK_PATH to an unpacked WASI SDK"
          : `apt-get install ${WASI_PACKAGES}`,
      },
    );
  }
  // One spelling that clang, its runtime's folders and the sysroot agree on.
  const target = `--target=${triple.arch}-wasi`;
  const rooted = sdk ? [`--sysroot=${sysroot}`] : [];
  const tool = (name: string) => findProgram(name, path) ?? name;
  return {
    cc: [clang, target, ...rooted],
    cxx: [tool("clang++"), target, ...rooted],
    programs: {
      AR: tool("llvm-ar"),
      RANLIB: tool("llvm-ranlib"),
      NM: tool("llvm-nm"),
      STRIP: tool("llvm-strip"),
    },
    cflags: [],
    ldflags: [],
    roots: [`${sysroot}/include/wasm32-wasi`, `${sysroot}/lib/wasm32-wasi`],
    pkgConfig: [`${sysroot}/lib/wasm32-wasi/pkgconfig`],
  };
}

function missing(
  triple: TargetTriple,
  prefix: string,
  program = "gcc",
): ClibsError {
  const known = [triple.text, ...equivalentNames(triple.text)]
    .find((name) => DEBIAN_TARGETS.includes(name));
  const close = known ? undefined : nearest(triple.text, [
    ...DEBIAN_TARGETS,
    "wasm32-unknown-wasi",
    hostTriple(),
  ]);
  return new ClibsError(
    "CLIBS_TOOLCHAIN_MISSING",
    `Cannot build for ${
      printable(triple.text)
    }: ${prefix}-${program} is not on PATH`,
    {
      facts: {
        target: triple.text,
        "looked for": `${prefix}-${program}`,
        ...(close ? { nearest: close } : {}),
      },
      hint: known
        ? `apt-get install gcc-${debian(known)} g++-${debian(known)}`
        : close
        ? `did you mean --target ${close}?`
        : `install a compiler named ${prefix}-${program}`,
    },
  );
}

/** Debian writes x86_64 with a dash in names of packages. */
function debian(target: string): string {
  return target.replaceAll("_", "-");
}
