/** Files by which build systems learn of a cross compiler. */

import { join } from "node:path";
import type { CrossTools } from "./cross.ts";
import { parseTriple, type TargetTriple } from "./triple.ts";

/** A file that build systems read; it is written before a build. */
export interface ToolchainFile {
  /** Path below the toolchain's folder. */
  name: string;
  content: string;
}

/** The files for a target, and the variables that lead to them. */
export function crossFiles(
  target: string,
  tools: CrossTools,
  dir: string,
): { files: ToolchainFile[]; env: Record<string, string> } {
  const triple = parseTriple(target);
  const files = [
    { name: "toolchain.cmake", content: cmake(triple, tools) },
    { name: "meson-cross.ini", content: meson(triple, tools, dir) },
    { name: "config.site", content: configSite(triple, tools) },
    ...(triple.os === "wasi"
      ? [{ name: "cmake/Platform/WASI.cmake", content: WASI_PLATFORM }]
      : []),
  ];
  return {
    files,
    env: {
      CMAKE_TOOLCHAIN_FILE: join(dir, "toolchain.cmake"),
      CLIBS_MESON_CROSS_FILE: join(dir, "meson-cross.ini"),
      CONFIG_SITE: join(dir, "config.site"),
    },
  };
}

const CMAKE_SYSTEMS: Record<string, string> = {
  linux: "Linux",
  windows: "Windows",
  darwin: "Darwin",
  wasi: "WASI",
};

/** For a CMake that does not know the system: it would warn at length. */
const WASI_PLATFORM = "include(Platform/Generic)\nset(WASI 1)\n";

/** CMake reads the file that the variable CMAKE_TOOLCHAIN_FILE names. */
function cmake(triple: TargetTriple, tools: CrossTools): string {
  const compiler = (language: string, [program, ...args]: string[]) => {
    const target = args.find((arg) => arg.startsWith("--target="));
    const sysroot = args.find((arg) => arg.startsWith("--sysroot="));
    const flags = args.filter((arg) => arg !== target && arg !== sysroot);
    return [
      `set(CMAKE_${language}_COMPILER ${quote(program ?? "")})`,
      ...(target
        ? [`set(CMAKE_${language}_COMPILER_TARGET ${quote(target.slice(9))})`]
        : []),
      ...(sysroot ? [`set(CMAKE_SYSROOT ${quote(sysroot.slice(10))})`] : []),
      ...(flags.length > 0
        ? [`set(CMAKE_${language}_FLAGS_INIT ${quote(flags.join(" "))})`]
        : []),
    ];
  };
  const programs = Object.entries(tools.programs)
    .filter(([name]) => name !== "LD")
    .map(([name, program]) => `set(CMAKE_${name} ${quote(program)})`);
  return [
    `set(CMAKE_SYSTEM_NAME ${CMAKE_SYSTEMS[triple.os] ?? "Generic"})`,
    `set(CMAKE_SYSTEM_PROCESSOR ${triple.arch})`,
    'list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}/cmake")',
    ...compiler("C", tools.cc),
    ...compiler("CXX", tools.cxx),
    ...programs,
    ...(tools.emulator
      ? [
        `set(CMAKE_CROSSCOMPILING_EMULATOR ${
          tools.emulator.map(quote).join(" ")
        })`,
      ]
      : []),
    "# Programs are this machine's; the rest is the target's, or a package's.",
    `set(CMAKE_FIND_ROOT_PATH ${tools.roots.map(quote).join(" ")})`,
    'file(TO_CMAKE_PATH "$ENV{CMAKE_PREFIX_PATH}" _clibs_prefixes)',
    "list(APPEND CMAKE_FIND_ROOT_PATH ${_clibs_prefixes} ${CMAKE_PREFIX_PATH})",
    "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)",
    "set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)",
    "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)",
    "set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)",
    "",
  ].join("\n");
}

const CPU_FAMILIES: Record<string, string> = {
  i686: "x86",
  powerpc64le: "ppc64",
  powerpc64: "ppc64",
  powerpc: "ppc",
  mipsel: "mips",
  mips64el: "mips64",
  armv7: "arm",
};

const BIG_ENDIAN = /^(powerpc|powerpc64|s390x|mips|m68k|sparc64|hppa|armeb)$/;

/** Meson takes wasm-ld for an ELF linker; these spare it most of the flags. */
const WASI_MESON_OPTIONS = [
  "[built-in options]",
  "default_library = 'static'",
  "b_asneeded = false",
  "b_lundef = false",
  "b_staticpic = false",
  "b_pie = false",
  "",
];

function meson(triple: TargetTriple, tools: CrossTools, dir: string): string {
  const text = (word: string) => `'${word.replace(/[\\']/g, "\\$&")}'`;
  const list = (words: readonly string[]) => `[${words.map(text).join(", ")}]`;
  const binaries: [string, string[]][] = [
    ["c", tools.cc],
    ["cpp", tools.cxx],
    ...Object.entries(tools.programs)
      .filter(([name]) => ["AR", "STRIP", "NM", "OBJCOPY"].includes(name))
      .map(([name, program]): [string, string[]] => [
        name.toLowerCase(),
        [program],
      ]),
    ["pkgconfig", ["pkg-config"]],
    ["cmake", ["cmake"]],
    ...(tools.emulator
      ? [["exe_wrapper", tools.emulator] as [string, string[]]]
      : []),
  ];
  return [
    "[binaries]",
    ...binaries.map(([name, command]) => `${name} = ${list(command)}`),
    "",
    // No flags here: they would hide those of CFLAGS and LDFLAGS.
    ...(triple.os === "wasi" ? WASI_MESON_OPTIONS : []),
    "[properties]",
    "needs_exe_wrapper = true",
    `pkg_config_libdir = ${list(tools.pkgConfig)}`,
    // Else the CMake that Meson asks for packages finds this machine's.
    `cmake_toolchain_file = ${text(join(dir, "toolchain.cmake"))}`,
    "",
    "[host_machine]",
    `system = '${triple.os}'`,
    `cpu_family = '${CPU_FAMILIES[triple.arch] ?? triple.arch}'`,
    `cpu = '${triple.arch}'`,
    `endian = '${BIG_ENDIAN.test(triple.arch) ? "big" : "little"}'`,
    "",
  ].join("\n");
}

/**
 * A site file makes an unchanged `./configure` cross-compile: autoconf reads it
 * before it looks whether it can run what it compiles. An explicit `--host`
 * has been seen by then, and stays: it may be a helper for this machine.
 */
function configSite(triple: TargetTriple, tools: CrossTools): string {
  const host = canonicalHost(triple);
  return [
    'if test "x$host_alias" = x; then',
    `  host_alias=${triple.text}`,
    `  ac_tool_prefix=${tools.prefix ?? `${triple.text}-`}`,
    // Spares a config.sub that is older than the target.
    ...(host ? [`  ac_cv_host=${host}`] : []),
    "fi",
    `if test "x$host_alias" = "x${triple.text}"; then`,
    "  cross_compiling=yes",
    // True of glibc, musl, mingw and wasi-libc; configure cannot try it, and
    // would replace malloc by an rpl_malloc that few packages have.
    "  ac_cv_func_malloc_0_nonnull=yes",
    "  ac_cv_func_realloc_0_nonnull=yes",
    "fi",
    "",
  ].join("\n");
}

/** The target as `config.sub` spells it; undefined if that is not certain. */
function canonicalHost(triple: TargetTriple): string | undefined {
  const { arch, os, env } = triple;
  if (os === "wasi") return `${arch}-unknown-wasi`;
  if (os === "linux") return `${arch}-unknown-linux-${env ?? "gnu"}`;
  return undefined;
}

/** A text as CMake reads it between quotes. */
function quote(text: string): string {
  return `"${text.replace(/[\\"$;]/g, "\\$&")}"`;
}
