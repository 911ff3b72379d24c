/** Guesses how unpacked sources are built. */

import { join } from "node:path";
import { lstatIfExists } from "../host/files.ts";

/** A build system that clibs knows how to run. */
export type BuildSystem =
  | "cmake"
  | "meson"
  | "autotools"
  | "make"
  | "header-only"
  | "unknown";

/** A guess. */
export interface BuildGuess {
  /** The build system. */
  system: BuildSystem;
  /** A build command to start from. */
  command: string;
  /** The file that gave it away. */
  why: string;
}

const CMAKE = `cmake -S . -B out -DCMAKE_BUILD_TYPE=Release \\
  -DCMAKE_INSTALL_PREFIX="$CLIBS_BUILD_DIR"
cmake --build out
cmake --install out`;

const MESON = `meson setup out --prefix="$CLIBS_BUILD_DIR" --buildtype=release
meson compile -C out
meson install -C out`;

const CONFIGURE = `./configure --prefix="$CLIBS_BUILD_DIR"
make -j"$CLIBS_JOBS"
make install`;

const MAKE = `make -j"$CLIBS_JOBS"
make install PREFIX="$CLIBS_BUILD_DIR" prefix="$CLIBS_BUILD_DIR"`;

/** Of a folder below the top, as some large projects have it. */
const CMAKE_BELOW = CMAKE.replace("-S .", "-S build/cmake");

const HEADERS = `mkdir -p "$CLIBS_BUILD_DIR/include"
cp -R include/. "$CLIBS_BUILD_DIR/include/"`;

const TOP_HEADERS = `mkdir -p "$CLIBS_BUILD_DIR/include"
cp *.h* "$CLIBS_BUILD_DIR/include/"`;

const UNKNOWN = `echo "write the build command into pkg.yaml" >&2
exit 1`;

/** What gives a build system away, the surest first. */
const SIGNS: [string, BuildSystem, string][] = [
  ["CMakeLists.txt", "cmake", CMAKE],
  ["meson.build", "meson", MESON],
  ["configure", "autotools", CONFIGURE],
  ["autogen.sh", "autotools", `./autogen.sh\n${CONFIGURE}`],
  ["configure.ac", "autotools", `autoreconf -fi\n${CONFIGURE}`],
  ["Makefile", "make", MAKE],
  ["makefile", "make", MAKE],
  ["GNUmakefile", "make", MAKE],
  ["build/cmake/CMakeLists.txt", "cmake", CMAKE_BELOW],
];

/** Looks at the top of some sources. */
export function guessBuild(sources: string): BuildGuess {
  for (const [name, system, command] of SIGNS) {
    if (lstatIfExists(join(sources, name))?.isDirectory === false) {
      return { system, command, why: name };
    }
  }
  if (lstatIfExists(join(sources, "include"))?.isDirectory) {
    return { system: "header-only", command: HEADERS, why: "include" };
  }
  const names = [...Deno.readDirSync(sources)].map((entry) => entry.name);
  const header = names.sort().find((name) => /\.(h|hh|hpp|hxx)$/.test(name));
  if (header && !names.some((name) => /\.(c|cc|cpp|cxx)$/.test(name))) {
    return { system: "header-only", command: TOP_HEADERS, why: header };
  }
  return { system: "unknown", command: UNKNOWN, why: "nothing known" };
}

/** Name and version as a file name or address shows them. */
export function guessNameVersion(
  address: string,
): { name?: string; version?: string } {
  const parts = address.replace(/[?#].*$/, "").replace(/\/+$/, "")
    .split(/[/:]/);
  const stem = (parts.pop() ?? "").replace(
    /\.(git|zip|gz|tgz|tar|(tar\.)(gz|bz2|xz|zst)|tbz2?|txz|tzst)$/i,
    "",
  ).replace(/\.orig$/, "");
  const match = /^(.+?)[-_]v?(\d[\w.+~-]*)$/.exec(stem);
  const only = /^v?(\d[\w.+~-]*)$/.exec(stem);
  const name = cleanName(
    match?.[1] ?? repositoryOf(parts) ?? (only ? "" : stem),
  );
  const version = (match?.[2] ?? only?.[1])?.replaceAll("_", ".");
  return {
    ...(name === "" ? {} : { name }),
    ...(version === undefined ? {} : { version }),
  };
}

/** The repository in the address of a snapshot: `.../NAME/archive/v1.2.tar.gz`. */
function repositoryOf(parts: readonly string[]): string | undefined {
  const at = parts.findLastIndex((part) =>
    /^(-|archive|tar\.gz|zip)$/.test(part)
  );
  const index = parts[at - 1] === "-" ? at - 2 : at - 1;
  // The first parts of `https://host/` are the scheme, twice nothing, the host.
  return index > 3 ? parts[index] : undefined;
}

function cleanName(text: string): string {
  return text.replace(/[^A-Za-z0-9._+-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
}

/** The version in a tag: `v1.2.3`, `zlib-1.2.3` and `release_1_2` all have one. */
export function versionOfTag(tag: string): string {
  const match = /(?:^|[-_/.A-Za-z])(\d[A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*)$/
    .exec(tag);
  // A slash could not be part of a file's name.
  return match?.[1]?.replaceAll("_", ".") ?? tag.replaceAll("/", "-");
}
