/** Where the files of a package are. */

import { join } from "node:path";
import { lstatIfExists } from "../host/files.ts";
import { equivalentNames } from "../toolchain/triple.ts";
import { BUILD_HASH, readState, type StateFile } from "./state.ts";

/** Name of the file that describes a package. */
export const PACKAGE_FILE = "pkg.yaml";
/** Name of the lock file beside it. */
export const LOCK_FILE = "pkg.lock.json";

/** Paths of one package, all absolute. */
export interface Layout {
  /** Folder of the package. */
  dir: string;
  /** Its pkg.yaml. */
  file: string;
  /** Its pkg.lock.json. */
  lock: string;
  /** Fetched sources. */
  download: string;
  /** Sources while they are being fetched. */
  downloadTmp: string;
  /** Kernel lock of the sources. */
  downloadLock: string;
}

/** Paths of one package for one target, all absolute. */
export interface TargetLayout {
  /** The target triple, as given. */
  target: string;
  /** Where the build installs to. */
  build: string;
  /** The previous result while a build is running. */
  aside: string;
  /** Kernel lock of the build. */
  lock: string;
  /** Which process group is building, for the next run. */
  running: string;
  /** Output of the build command. */
  log: string;
  /** Copy of the sources in which the command runs. */
  work: string;
  /** Script that runs the build command again by hand. */
  rerun: string;
  /** Files of the toolchain: CMake's and Meson's. */
  toolchain: string;
}

/** Paths of a package. */
export function packageLayout(dir: string): Layout {
  return {
    dir,
    file: join(dir, PACKAGE_FILE),
    lock: join(dir, LOCK_FILE),
    download: join(dir, "_download"),
    downloadTmp: join(dir, "_download_tmp"),
    downloadLock: join(dir, "_build", ".download.lock"),
  };
}

/** Where one archive is unpacked before its entries are moved to `root`. */
export function unpackDir(root: string): string {
  return `${root}_unpack`;
}

/** Paths of a package for a target. */
export function targetLayout(dir: string, target: string): TargetLayout {
  const build = join(dir, "_build");
  return {
    target,
    build: join(build, target),
    aside: join(build, `.${target}.aside`),
    lock: join(build, `.${target}.lock`),
    running: join(build, `.${target}.running.json`),
    log: join(build, `${target}.log`),
    work: join(dir, "_work", target),
    rerun: join(dir, "_work", `${target}.rerun.sh`),
    toolchain: join(dir, "_work", `${target}.toolchain`),
  };
}

/** A built tree and its state. */
export interface BuiltTree {
  /** Absolute path. */
  dir: string;
  /** Where it came from. */
  origin: "prebuilt" | "build";
  /** Its state file. */
  state: StateFile;
}

/**
 * The built trees of a target, in the order in which they are tried:
 * `_prebuilt`, then `_build`; in each the triple as given, then other names of
 * the same target such as `linux_amd64`.
 */
export function* builtTrees(
  dir: string,
  target: string,
): Generator<BuiltTree> {
  for (const [folder, origin] of ORIGINS) {
    // A failed look-up costs as much as reading a file, and there are many names.
    if (!lstatIfExists(join(dir, folder))) continue;
    for (const name of [target, ...equivalentNames(target)]) {
      const tree = join(dir, folder, name);
      const state = readState(join(tree, BUILD_HASH));
      if (state) yield { dir: tree, origin, state };
    }
  }
}

const ORIGINS = [["_prebuilt", "prebuilt"], ["_build", "build"]] as const;
