/** Finds the compilers of other targets. */

import { ClibsError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { findProgram } from "../host/process.ts";
import { printable } from "./printable.ts";
import { equivalentNames, hostTriple, type TargetTriple } from "./triple.ts";
import { findWasi } from "./wasi.ts";

/** Programs and flags for one target. */
export interface CrossTools {
  /** C compiler: program and arguments. */
  cc: string[];
  /** C++ compiler: program and arguments. */
  cxx: string[];
  /** Other programs, by the variable that names them: `AR`, `RANLIB`, `STRIP`. */
  programs: Record<string, string>;
  /** What `cc` needs to compile for the target, for those who name a compiler themselves. */
  cflags: string[];
  /** The same for linking. */
  ldflags: string[];
  /** What names of programs begin with, if they do: `aarch64-linux-gnu-`. */
  prefix?: string;
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

/**
 * Finds the compilers for a target.
 *
 * @throws {ClibsError} `CLIBS_TOOLCHAIN_MISSING` if there are none.
 */
export function findCross(triple: TargetTriple, env: Env): CrossTools {
  return triple.os === "wasi" ? findWasi(triple, env) : prefixed(triple, env);
}

/** GCC and binutils under names with the target as prefix. */
function prefixed(triple: TargetTriple, env: Env): CrossTools {
  const path = env("PATH");
  const prefixes = [triple.text, ...equivalentNames(triple.text)]
    .filter((name) => name.includes("-"));
  const prefix = prefixes.find((name) => findProgram(`${name}-gcc`, path));
  if (prefix === undefined) throw missing(triple, prefixes[0] ?? triple.text);
  // Debian's musl-tools have a C compiler only.
  if (!triple.env?.startsWith("musl") && !findProgram(`${prefix}-g++`, path)) {
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
    prefix: `${prefix}-`,
    programs,
    cflags: [],
    ldflags: [],
    roots: [root, `/usr/lib/${prefix}`],
    pkgConfig: [`/usr/lib/${prefix}/pkgconfig`, `${root}/lib/pkgconfig`],
    ...(emulator ? { emulator: [emulator, "-L", root] } : {}),
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
