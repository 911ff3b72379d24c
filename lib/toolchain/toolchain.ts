/**
 * What compiles for a target, and the environment by which builds use it.
 *
 * @module
 */

import { crossFiles, type ToolchainFile } from "./cross_files.ts";
import { findCross } from "./cross.ts";
import { compilerIdentity } from "./identity.ts";
import { isNative, parseTriple } from "./triple.ts";

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
    cflags: words(env("CLIBS_BUILD_CFLAGS")),
    ldflags: words(env("CLIBS_BUILD_LDFLAGS")),
  };
  const { target } = request;
  if (isNative(target)) {
    const cc = words(env("CC"));
    const identity = await compilerIdentity(cc.length > 0 ? cc : ["cc"]);
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
  const cflags = [...tools.cflags, ...caller.cflags];
  const ldflags = [...tools.ldflags, ...caller.ldflags];
  const flags = { cflags, ldflags };
  const { files, env: fileEnv } = crossFiles(
    target,
    { ...tools, ...flags },
    request.filesDir,
  );
  return {
    target,
    native: false,
    ...flags,
    identity: await compilerIdentity(tools.cc) ?? "none",
    files,
    env: {
      CC: tools.cc.join(" "),
      CXX: tools.cxx.join(" "),
      ...tools.programs,
      // The caller's own CFLAGS are for this machine's compiler.
      CFLAGS: cflags.join(" "),
      CXXFLAGS: cflags.join(" "),
      LDFLAGS: ldflags.join(" "),
      // Only the target's .pc files: this machine's would give wrong folders.
      PKG_CONFIG_LIBDIR: tools.pkgConfig.join(":"),
      ...fileEnv,
    },
  };
}

function words(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}
