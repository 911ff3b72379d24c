import type { Explanations } from "./codes.ts";

/** Failures of packages: their graph, lock files, sources and builds. */
export const packagesErrors: Explanations = {
  CLIBS_PKG_DIR: {
    title: "A file of pkg.yaml cannot be put where `dir` says",
    text:
      "A path named by `files[].dir` exists in the sources already and is a file or a link. clibs never writes through a link that came out of an archive. Choose another folder.",
  },
  CLIBS_DEP_MISSING: {
    title: "A dep has no package",
    text:
      "`deps` holds paths (with a slash, relative to pkg.yaml) or names. A name is looked for among the packages that are being built, then in the folders beside the package's own.",
  },
  CLIBS_DEP_CYCLE: {
    title: "Packages depend on each other in a circle",
    text:
      "No order of building exists. The message names the circle; remove one of its deps.",
  },
  CLIBS_NAME_CLASH: {
    title: "Two packages have one name",
    text:
      "Names are how deps and variables such as `CLIBS_DEP_ZLIB_DIR` find a package, so they must differ. `name:` defaults to the folder's name.",
  },
  CLIBS_LOCK_INVALID: {
    title: "pkg.lock.json cannot be understood",
    text:
      "The file was edited, cut off, or written by a newer clibs. It is never discarded silently, because it is what vouches for the sources. Restore it, or remove it and run `clibs update`.",
  },
  CLIBS_LOCK_NEEDED: {
    title: "--locked was given and pkg.lock.json does not cover pkg.yaml",
    text:
      "With --locked nothing may be resolved anew, so a missing or outdated lock file is an error. Run `clibs fetch` without --locked and commit the file.",
  },
  CLIBS_LOCK_MISMATCH: {
    title: "The sources are not those of pkg.lock.json",
    text:
      "The file or tree on the server has changed since it was locked. `unpacked tree` tells whether only the packing differs, as when a host compresses its archives anew, or the sources themselves.\n\nIf you trust the change, `clibs update` writes the new digests; review them in version control.",
  },
  CLIBS_PATCH: {
    title: "A patch does not apply",
    text:
      "Patches are applied in order with `git apply -p1`, to the sources as fetched and without fuzz. Make the patch anew against the version that pkg.yaml names.",
  },
  CLIBS_WORK_COPY: {
    title: "The sources could not be copied to build them",
    text:
      "A build runs in a copy of `_download` below `_work`, so that one target or one edit never sees what another left. The copy is made with `cp`; its message says what went wrong.",
  },
  CLIBS_BUILD_COMMAND: {
    title: "A build command failed",
    text:
      "The message shows the first line that looks like an error and the last lines of output; the log has all of it. The working copy is kept, and the script in the hint runs the command again there with the same variables. The previous build stays in place.",
  },
  CLIBS_BUILD_EMPTY: {
    title: "A build command installed nothing",
    text:
      "The command ended well but `$CLIBS_BUILD_DIR` is empty, which is nearly always a missing `--prefix` or `make install`. For a package that has nothing to install, set `build.empty: true`.",
  },
  CLIBS_BUILD_INPUT_CHANGED: {
    title: "An input changed while the build ran",
    text:
      "What was built belongs neither to the old nor to the new input, so it is not used and the previous build stays in place. Run the command again.",
  },
  CLIBS_NOT_BUILT: {
    title: "A package is not up to date",
    text:
      "`clibs env` and `clibs export` only speak of packages that are built. They never build: run `clibs build` first.",
  },
  CLIBS_EXPORT: {
    title: "An export script failed",
    text:
      "`export:` in pkg.yaml is a bash script whose standard output is KEY=VALUE lines and nothing else. Print messages on standard error.",
  },
  CLIBS_INIT_EXISTS: {
    title: "There is a pkg.yaml already",
    text:
      "`clibs init` does not overwrite what somebody wrote. Use --force, or another folder with --dir.",
  },
  CLIBS_INIT_NAME: {
    title: "clibs init cannot tell the package's name",
    text: "The address ends in nothing that looks like a name. Give --name.",
  },
  CLIBS_INIT_REF: {
    title: "clibs init found no tag in a repository",
    text:
      "Without --ref the newest tag is taken, and this repository has none. Name a branch, or better a commit.",
  },
};
