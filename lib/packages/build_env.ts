/** The environment of a build command. */

import { quoteWord } from "../host/shell.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { prepend, searchPaths, variablePart } from "./consume.ts";
import type { Layout, TargetLayout } from "./layout.ts";

/** A dep as a build command sees it. */
export interface BuiltDep {
  /** Its name. */
  name: string;
  /** Root of its built tree. */
  dir: string;
}

/** What {@linkcode buildEnvironment} puts together. */
export interface EnvironmentRequest {
  layout: Layout;
  target: TargetLayout;
  toolchain: Toolchain;
  /** Deps that pkg.yaml names. */
  deps: readonly BuiltDep[];
  /** Those and the deps of deps, each once, nearest first. */
  allDeps: readonly BuiltDep[];
  /** CPUs that the command may use. */
  jobs: number;
  /** `build.env` of pkg.yaml, for this target. */
  specEnv: Readonly<Record<string, string>>;
  /** Environment of the caller. */
  caller: Readonly<Record<string, string>>;
}

/**
 * Variables of the caller that must not reach a build: they aim at another
 * tree (`DESTDIR`), another make, or run code in every shell.
 */
const DROPPED =
  /^(DESTDIR|MAKEFLAGS|MFLAGS|MAKELEVEL|MAKE_TERMOUT|MAKE_TERMERR|BASH_ENV|ENV|BASHOPTS|SHELLOPTS|CDPATH|GREP_OPTIONS|GIT_.*|CLIBS_.*|BASH_FUNC_.*)$/;

/** Variables of ours that a clibs run by a build command should still see. */
const KEPT = /^CLIBS_(CACHE_DIR|MIRROR|HTTP_STALL_S)$/;

/** Variables of the caller that are for this machine's compilers and trees. */
const HOST_ONLY =
  /^(C|CXX|CPP|LD)FLAGS$|^(CPATH|C_INCLUDE_PATH|CPLUS_INCLUDE_PATH|LIBRARY_PATH|PKG_CONFIG_PATH|CMAKE_PREFIX_PATH)$/;

/** What clibs itself sets, without the caller's variables. */
export function ownVariables(
  request: EnvironmentRequest,
): Record<string, string> {
  const { target, toolchain } = request;
  const caller = callerVariables(request);
  const paths = searchPaths(
    request.allDeps.map((dep) => dep.dir),
    target.target,
  );
  // A cross toolchain empties host flags; here they are not passed on at all,
  // since an empty CFLAGS turns configure's own -O2 off.
  const own = Object.fromEntries(
    Object.entries(toolchain.env).filter(([name, value]) =>
      value !== "" || !HOST_ONLY.test(name)
    ),
  );
  const ldflags = [...toolchain.ldflags];
  if (!toolchain.native) {
    // Cross compilers do not look at LIBRARY_PATH.
    ldflags.push(...paths.LIBRARY_PATH.map((lib) => `-L${lib}`));
    if (ldflags.length > 0) own.LDFLAGS = ldflags.join(" ");
  }
  for (const [name, folders] of Object.entries(paths)) {
    if (folders.length > 0) {
      own[name] = prepend(folders, own[name] ?? caller[name]);
    }
  }
  for (const dep of request.deps) {
    own[`CLIBS_DEP_${variablePart(dep.name)}_DIR`] = dep.dir;
  }
  return {
    ...own,
    CLIBS_PACKAGE_DIR: request.layout.dir,
    CLIBS_BUILD_TARGET: target.target,
    CLIBS_BUILD_CFLAGS: toolchain.cflags.join(" "),
    CLIBS_BUILD_LDFLAGS: ldflags.join(" "),
    CLIBS_BUILD_DIR: target.build,
    CLIBS_DOWNLOAD_DIR: target.work,
    CLIBS_JOBS: String(request.jobs),
    CMAKE_BUILD_PARALLEL_LEVEL: String(request.jobs),
    ...request.specEnv,
  };
}

/** The whole environment of the build command. */
export function buildEnvironment(
  request: EnvironmentRequest,
): Record<string, string> {
  return { ...callerVariables(request), ...ownVariables(request) };
}

/** What of the caller's environment comes along. */
function callerVariables(
  { caller, toolchain }: EnvironmentRequest,
): Record<string, string> {
  const comes = (name: string) =>
    KEPT.test(name) ||
    !DROPPED.test(name) && (toolchain.native || !HOST_ONLY.test(name));
  return Object.fromEntries(
    Object.entries(caller).filter(([name]) => comes(name)),
  );
}

/**
 * A script that runs the build command again by hand. It holds only what clibs
 * sets: the caller's environment may hold secrets.
 */
export function rerunScript(
  own: Readonly<Record<string, string>>,
  target: TargetLayout,
  command: string,
): string {
  const exports = Object.entries(own).map(([name, value]) =>
    `export ${name}=${quoteWord(value)}`
  );
  return [
    "#!/usr/bin/env bash",
    "# Runs the build command again, as clibs ran it.",
    ...exports,
    `mkdir -p "$CLIBS_BUILD_DIR"`,
    `cd ${quoteWord(target.work)}`,
    `exec bash -e -c ${quoteWord(command)} clibs`,
    "",
  ].join("\n");
}
