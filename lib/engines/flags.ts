/** The flags an engine is compiled with. */

import { relative, resolve } from "node:path";
import type { PythonInfo } from "../toolchain/python.ts";
import { NODE_API } from "./abi_key.ts";
import type { Compiler } from "./compiler.ts";
import type { Engine } from "./discover.ts";

/** Variables that change what a compiler reads or makes. */
export const COMPILER_VARIABLES = [
  "CPATH",
  "CPLUS_INCLUDE_PATH",
  "LIBRARY_PATH",
  "COMPILER_PATH",
  "GCC_EXEC_PREFIX",
  "SOURCE_DATE_EPOCH",
];

/** Exports what is `extern "C"`, whatever else is not hidden. */
export const FFI_EXPORTS = "{ global: *; local: _Z*; };\n";

/** The flag by which the linker gets {@linkcode FFI_EXPORTS}. */
export const EXPORTS_FLAG = "-Wl,--version-script=EXPORTS";

/** Flags of an engine, by what they are for. */
export interface EngineFlags {
  /** For compiling; the user's last. */
  compile: string[];
  /** For linking, after the sources. */
  link: string[];
  /** Folders with headers that come before the system's, in order. */
  includeDirs: string[];
}

/** What flags depend on besides the engine. */
export interface FlagContext {
  /** The compiler. */
  compiler: Compiler;
  /** The Python, for pybind11. */
  python?: PythonInfo;
  /** Folders with headers of Node-API, for napi. */
  nodeHeaders: readonly string[];
  /** Folders of the clibs packages that the engine names. */
  packages: PackageDirs;
}

/** Folders of packages that an engine uses. */
export interface PackageDirs {
  /** With headers. */
  include: readonly string[];
  /** With libraries. */
  lib: readonly string[];
}

/** Puts the flags of an engine together. */
export function engineFlags(
  engine: Engine,
  context: FlagContext,
): EngineFlags {
  const { kind, config, project } = engine;
  const { compiler, python, packages } = context;
  const includeDirs = [
    ...(config.include_dirs ?? []).map((dir) =>
      resolve(project.sourceDir, dir)
    ),
    ...packages.include,
  ];
  const headers = [
    ...(kind === "napi" ? context.nodeHeaders : []),
    ...(kind === "pybind11" && python
      // As a system folder it would move behind its own C++ headers.
      ? [python.include, python.pybind11].filter((dir) =>
        dir !== undefined && dir !== "/usr/include"
      )
      : []),
  ];
  return {
    compile: [
      "-O3",
      `-std=${config.std ?? "c++17"}`,
      "-fPIC",
      // Such symbols would keep the library from being unloaded.
      ...(compiler.family === "gcc" ? ["-fno-gnu-unique"] : []),
      ...(kind === "ffi"
        ? ["-fno-semantic-interposition", ...typeFlags(compiler)]
        : ["-fvisibility=hidden"]),
      ...(kind === "napi" ? [`-DNAPI_VERSION=${NODE_API}`] : []),
      ...includeDirs.map((dir) => `-I${dir}`),
      ...headers.map((dir) => `-I${dir}`),
      ...config.extra_compile_args ?? [],
    ],
    link: [
      ...(kind === "ffi" ? [EXPORTS_FLAG] : []),
      ...packages.lib.flatMap((dir) => [`-L${dir}`, `-Wl,-rpath,${dir}`]),
      ...config.extra_link_args ?? [],
    ],
    includeDirs: [
      ...includeDirs,
      ...namedIncludeDirs(config.extra_compile_args ?? [])
        .map((dir) => resolve(project.sourceDir, dir)),
    ],
  };
}

/**
 * Debug information from which the types of functions are read before it is
 * stripped: as little of it as will do, since it takes time to write. Functions
 * with equal code would be merged into one that is described once.
 */
function typeFlags({ family }: Compiler): string[] {
  if (family === "clang") return ["-g", "-fstandalone-debug"];
  if (family !== "gcc") return ["-g"];
  return [
    "-g",
    "-fno-var-tracking",
    "-fno-var-tracking-assignments",
    "-femit-struct-debug-detailed=ord:any,gen:none",
    "-fno-ipa-icf",
  ];
}

/** Folders that flags add to the search path: `-Idir` or `-I dir`. */
function namedIncludeDirs(flags: readonly string[]): string[] {
  return flags.flatMap((flag, index) => {
    const [, option, dir = ""] = /^(-I|-iquote|-isystem)(.*)$/.exec(flag) ?? [];
    if (option === undefined) return [];
    return [dir || flags[index + 1] || "."];
  });
}

/**
 * What an engine asks for in words that mean the same on every machine, by
 * label: what a prebuilt must have been built with.
 */
export function portableInputs(engine: Engine): Record<string, string> {
  const { config, project, sources } = engine;
  return {
    kind: engine.kind,
    std: config.std ?? "c++17",
    sources: sources.map((path) => relative(project.root, path)).join(" "),
    "include_dirs": (config.include_dirs ?? []).join(" "),
    "packages": (config.packages ?? []).join(" "),
    "extra_compile_args": (config.extra_compile_args ?? []).join(" "),
    "extra_link_args": (config.extra_link_args ?? []).join(" "),
  };
}

/**
 * Lists everything a build depends on besides files, by label: the up-to-date
 * check and the reason that is shown both read this list.
 */
export function buildInputs(
  engine: Engine,
  flags: EngineFlags,
  compiler: Compiler,
  env: (name: string) => string | undefined,
): Record<string, string> {
  return {
    ...portableInputs(engine),
    compiler: `${compiler.id} ${compiler.command.join(" ")}`,
    flags: flags.compile.join(" "),
    "link flags": flags.link.join(" "),
    environment: COMPILER_VARIABLES.filter((name) => env(name))
      .map((name) => `${name}=${env(name)}`).join(" "),
  };
}

/** The first label whose value differs, and both values, as a reason. */
export function firstDifference(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string | undefined {
  for (const label of new Set([...Object.keys(now), ...Object.keys(before)])) {
    if (before[label] === now[label]) continue;
    return `${label} changed: "${before[label] ?? ""}" is now "${
      now[label] ?? ""
    }"`;
  }
  return undefined;
}

/** End of the file's name of a kind, with its dot. */
export function extensionOf(
  engine: Pick<Engine, "kind">,
  python?: PythonInfo,
): string {
  if (engine.kind === "pybind11") return python?.extSuffix ?? ".so";
  return engine.kind === "napi" ? ".node" : ".so";
}
