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

const HEADERS = `mkdir -p "$CLIBS_BUILD_DIR/include"
cp -R include/. "$CLIBS_BUILD_DIR/include/"`;

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
  ["include", "header-only", HEADERS],
];

/** Looks at the top of some sources. */
export function guessBuild(sources: string): BuildGuess {
  for (const [name, system, command] of SIGNS) {
    if (lstatIfExists(join(sources, name))) {
      return { system, command, why: name };
    }
  }
  return { system: "unknown", command: UNKNOWN, why: "nothing known" };
}

/** Name and version as a file name or address shows them. */
export function guessNameVersion(
  address: string,
): { name?: string; version?: string } {
  const last = address.replace(/[?#].*$/, "").replace(/\/+$/, "")
    .split(/[/:]/).at(-1) ?? "";
  const stem = last.replace(
    /\.(git|zip|gz|tgz|tar|(tar\.)(gz|bz2|xz|zst)|tbz2?|txz|tzst)$/i,
    "",
  ).replace(/\.orig$/, "");
  const match = /^(.+?)[-_]v?(\d[\w.+~-]*)$/.exec(stem);
  if (match) return { name: cleanName(match[1] ?? ""), version: match[2] };
  if (/^v?\d[\w.+~-]*$/.test(stem)) return { version: stem.replace(/^v/, "") };
  const name = cleanName(stem);
  return name === "" ? {} : { name };
}

function cleanName(text: string): string {
  return text.replace(/[^A-Za-z0-9._+-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
}

/** The version in a tag: `v1.2.3`, `zlib-1.2.3` and `release_1_2` all have one. */
export function versionOfTag(tag: string): string {
  const match = /(\d+(?:[._-]\d+)*[\w.]*)$/.exec(tag);
  return match?.[1]?.replaceAll("_", ".") ?? tag;
}
