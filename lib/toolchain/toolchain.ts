/**
 * What compiles for a target, and the environment by which builds use it.
 *
 * @module
 */

import { splitWords } from "../host/shell.ts";
import { crossFiles, type ToolchainFile } from "./cross_files.ts";
import { findCross } from "./cross.ts";
import { compilerIdentity } from "./identity.ts";
import { isNative, parseTriple } from "./triple.ts";

/** Separator of folder lists in environment variables. */
const LIST_SEPARATOR = Deno.build.os === "windows" ? ";" : ":";

/** What compiles for a target. */
export interface Toolchain {
  /** Target triple, as asked. */
  target: string;
  /** Whether this machine runs what is built. */
  native: boolean;
  /** The target's flags for compiling, then the caller's. */
  cflags: string[];
  /** The target's flags for linking, then the caller's. */
  ldflags: string[];
  /** The compiler in one line; `none` if none is here. */
  identity: string;
  /** Files that `env` refers to. */
  files: ToolchainFile[];
  /** Variables for a build; empty for a native one, which finds `cc` by itself. */
  env: Record<string, string>;
}

/** What to resolve. */
export interface ToolchainRequest {
  /** Target triple. */
  target: string;
  /** Reads a variable of the caller's environment. Default: the process's. */
  env?: (name: string) => string | undefined;
  /** Folder where the caller will write `files`, absolute. */
  filesDir: string;
}

/**
 * Finds what compiles for a target.
 *
 * @throws {UsageError} `CLIBS_TARGET` if the target is not a triple.
 * @throws {ClibsError} `CLIBS_TOOLCHAIN_MISSING` if no compiler for it is here.
 */
export async function resolveToolchain(
  request: ToolchainRequest,
): Promise<Toolchain> {
  const env = request.env ?? ((name: string) => Deno.env.get(name));
  const caller = {
    cflags: splitWords(env("CLIBS_BUILD_CFLAGS")),
    ldflags: splitWords(env("CLIBS_BUILD_LDFLAGS")),
  };
  const { target } = request;
  if (isNative(target)) {
    const cc = splitWords(env("CC"));
    const identity = await compilerIdentity(
      cc.length > 0 ? cc : ["cc"],
      env("PATH"),
    );
    return {
      target,
      native: true,
      ...caller,
      identity: identity ?? "none",
      files: [],
      env: {},
    };
  }
  const tools = findCross(parseTriple(target), env);
  const { files, env: fileEnv } = crossFiles(target, tools, request.filesDir);
  return {
    target,
    native: false,
    cflags: [...tools.cflags, ...caller.cflags],
    ldflags: [...tools.ldflags, ...caller.ldflags],
    identity: await compilerIdentity(tools.cc, env("PATH")) ?? "none",
    files,
    env: {
      ...withoutHostFlags(env),
      ...given("CFLAGS", caller.cflags),
      ...given("CXXFLAGS", caller.cflags),
      ...given("LDFLAGS", caller.ldflags),
      CC: tools.cc.join(" "),
      CXX: tools.cxx.join(" "),
      // For helpers that a build compiles and runs; config.guess asks it, too.
      CC_FOR_BUILD: env("CC_FOR_BUILD") ?? env("CC") ?? "cc",
      CXX_FOR_BUILD: env("CXX_FOR_BUILD") ?? env("CXX") ?? "c++",
      ...tools.programs,
      // Only the target's .pc files: this machine's would give wrong folders.
      PKG_CONFIG_LIBDIR: tools.pkgConfig.join(LIST_SEPARATOR),
      ...fileEnv,
    },
  };
}

/** Variables by which the caller tunes builds for this machine. */
const HOST_FLAGS = [
  "CFLAGS",
  "CXXFLAGS",
  "CPPFLAGS",
  "LDFLAGS",
  "CPATH",
  "C_INCLUDE_PATH",
  "CPLUS_INCLUDE_PATH",
  "LIBRARY_PATH",
  "PKG_CONFIG_PATH",
  "PKG_CONFIG_SYSROOT_DIR",
  "CMAKE_PREFIX_PATH",
];

/**
 * Empties those that the caller has set. The others stay unset: an empty
 * CFLAGS is not the same, it makes configure scripts drop their `-g -O2`.
 */
function withoutHostFlags(
  env: (name: string) => string | undefined,
): Record<string, string> {
  return Object.fromEntries(
    HOST_FLAGS.filter((name) => env(name)).map((name) => [name, ""]),
  );
}

function given(
  name: string,
  flags: readonly string[],
): Record<string, string> {
  return flags.length > 0 ? { [name]: flags.join(" ") } : {};
}
